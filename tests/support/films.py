"""A film and its dub: another voice, other sentences, the same timing up to an offset and a drift."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from modeling import SAMPLING_RATE
from tests.inference.conftest import music, noise


def write_films(
    folder: Path, takes: dict, *, minutes: float, offset_s=0.0, drift=0.0, louder=None, seed=0, bed=False
) -> tuple[Path, Path, list[float]]:
    """Writes `source.wav` and `dub.wav`; returns them and where the lines start in the source, in seconds.

    Args:
        louder: line that is 12 dB louder in the dub.
        bed: whether there is music under both.
    """
    random = np.random.default_rng(seed)
    tracks, starts, at = {"source": [], "dub": []}, [], 0
    while at < minutes * 60 * SAMPLING_RATE:
        clips = {track: sentences[random.integers(len(sentences))] for track, sentences in takes.items()}
        if len(starts) == louder:
            clips["dub"] = 4 * clips["dub"]
        size = max(clip.size for clip in clips.values()) + round(random.uniform(0.4, 5) * SAMPLING_RATE)
        for track, clip in clips.items():
            tracks[track].append(np.pad(clip, (0, size - clip.size)))
        starts.append(at / SAMPLING_RATE)
        at += size
    common = np.tile(music("arpeggio", 60, 0.01), at // (60 * SAMPLING_RATE) + 1)[:at] if bed else 0
    sounds = {track: np.concatenate(clips) + common for track, clips in tracks.items()}
    slower = soxr.resample(sounds["dub"], SAMPLING_RATE, SAMPLING_RATE * (1 + drift))
    before = round(offset_s * SAMPLING_RATE)
    sounds["dub"] = np.concatenate([np.zeros(max(0, before)), slower[max(0, -before) :]])
    for number, (track, sound) in enumerate(sounds.items()):
        sound = 0.2 * sound + noise(sound.size / SAMPLING_RATE, 1e-4, number)[: sound.size]
        soundfile.write(folder / f"{track}.wav", sound, SAMPLING_RATE)
    return folder / "source.wav", folder / "dub.wav", starts
