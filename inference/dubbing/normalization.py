"""How the lines of two tracks are spoken -> the same without the effects of track, language and voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .prosody import LineProsody

_CLEAR = 4.0  # standard deviations between low and high voices; halves of one kind of voice are less than 3.5 apart
_ROUNDS = 50
_FEWEST = 5  # lines of a kind of voice


def normalize(source: LineProsody, dub: LineProsody) -> tuple[LineProsody, LineProsody]:
    """Removes from the lines what all lines of a voice or a track have in common.

    Pitch and energy become relative to the median of the lines with the same kind of voice in a track. Emotions are
    corrected for the model's bias by language, mix and voice: each class is weighted such that its mean over these
    lines is that over both tracks (Sinkhorn and Knopp 1967).

    Args:
        source, dub: the same lines in two tracks.
    """
    usual = (source.emotion.mean(axis=0) + dub.emotion.mean(axis=0)) / 2
    return _normalize(source, usual), _normalize(dub, usual)


def _normalize(track: LineProsody, usual: np.ndarray) -> LineProsody:
    emotion, pitch, energy = track.emotion.astype(float), track.pitch.copy(), track.energy.copy()
    kinds = group_voices(track.pitch)
    for kind in np.unique(kinds):
        lines = kinds == kind
        emotion[lines] = _balance(emotion[lines], usual)
        for values in (pitch, energy):
            known = values[lines][~np.isnan(values[lines])]
            values[lines] -= np.median(known) if known.size else 0.0  # all may be whispered
    return replace(track, emotion=emotion, pitch=pitch, energy=energy)


def _balance(emotion: np.ndarray, usual: np.ndarray) -> np.ndarray:
    for _ in range(_ROUNDS):
        emotion = emotion * (usual / np.maximum(emotion.mean(axis=0), 1e-9))
        emotion /= emotion.sum(axis=1, keepdims=True)
    return emotion


def group_voices(pitch: np.ndarray) -> np.ndarray:
    """Which lines have low voices, 0, and high ones, 1, if a track clearly has both; otherwise all are 0.

    Args:
        pitch: of the lines in semitones, `(lines,)`; lines without pitch are counted as the more frequent kind.
    """
    known = np.sort(pitch[~np.isnan(pitch)])
    splits = range(_FEWEST, known.size - _FEWEST + 1)
    if not splits:
        return np.zeros(pitch.size, int)
    within = [(at * known[:at].var() + (known.size - at) * known[at:].var()) / known.size for at in splits]
    at = splits[int(np.argmin(within))]
    deviation = max(np.sqrt(min(within)), 1e-9)
    if known[at:].mean() - known[:at].mean() < _CLEAR * deviation:
        return np.zeros(pitch.size, int)
    kinds = (pitch >= known[at]).astype(int)
    kinds[np.isnan(pitch)] = int(known.size > 2 * at)
    return kinds
