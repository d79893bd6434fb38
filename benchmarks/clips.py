"""Clips to measure with: of the lengths of real ones, and real ones where there are some."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from modeling import SAMPLING_RATE, load_audio
from preprocessing.corpora import CORPORA
from preprocessing.prepared.table1 import PAPER_DURATION_S

MIN_S, MAX_S = 0.5, 6.0
# Of the lengths within a corpus, relative to their mean. With it the mean under the cut, 3.33 s, and the audio's share
# in random batches of 8, 0.62, come out as they are over 102,838 real clips of these corpora: 3.34 s, 0.56 to 0.62.
SPREAD = 0.35
_POPULATION = 20_000


def durations(count: int, seed: int = 0) -> np.ndarray:
    """Seconds of clips of the paper's corpora under the 6 s cut, `(count,)`, in random order.

    Each corpus has its share of the clips and its mean of the paper's Table 1. Few clips are as spread as many: they
    are quantiles.
    """
    random = np.random.default_rng(seed)
    shares = np.array([CORPORA[name].paper_clips for name in PAPER_DURATION_S], float)
    means = np.array(list(PAPER_DURATION_S.values()))
    means = random.choice(means, size=max(count, _POPULATION), p=shares / shares.sum())
    drawn = random.gamma(1 / SPREAD**2, means * SPREAD**2).clip(MIN_S, MAX_S)
    if count < drawn.size:
        drawn = np.quantile(drawn, (np.arange(count) + 0.5) / count)
    return random.permutation(drawn)


def waveforms(count: int, seed: int = 0) -> list[np.ndarray]:
    """Voice-like clips at 16 kHz of the lengths of [`durations`], each `(samples,)` float32."""
    return [voice(seconds, seed + index) for index, seconds in enumerate(durations(count, seed))]


def voice(seconds: float, seed: int) -> np.ndarray:
    """A gliding buzz with pauses and noise: what pYIN has work with."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    f0 = random.uniform(90, 260) * 2 ** (0.3 * np.sin(2 * np.pi * random.uniform(0.3, 1.5) * time))
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLING_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    loudness = np.clip(np.sin(2 * np.pi * 1.5 * time + random.uniform(0, 6)) + 0.5, 0, 1)
    return (0.1 * loudness * buzz + random.normal(scale=0.003, size=time.size)).astype(np.float32)


def folder_sample(batches: int, batch_size: int = 8) -> list[np.ndarray]:
    """Clips `(samples,)` of some of the batches into which a folder of 1,000 clips is grouped by length."""
    lengths = np.sort(durations(1_000))
    firsts = ((np.arange(batches) + 0.5) / batches * (lengths.size - batch_size)).astype(int)
    return [voice(lengths[first + place], first + place) for first in firsts for place in range(batch_size)]


def write_wavs(folder: Path, clips: Sequence[np.ndarray]) -> list[Path]:
    """Writes clips `(samples,)` as 16-bit wav files."""
    folder.mkdir(parents=True)
    paths = [folder / f"{index:05}.wav" for index in range(len(clips))]
    for path, waveform in zip(paths, clips, strict=True):
        soundfile.write(path, waveform, SAMPLING_RATE, subtype="PCM_16")
    return paths


def real_files(count: int) -> list[Path]:
    """Recordings of people, spread over the folder that SER_REAL_AUDIO names; none without it."""
    folder = os.environ.get("SER_REAL_AUDIO")
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".wav", ".flac")) if folder else []
    return files[:: max(1, len(files) // count)][:count]


def speech(count: int) -> tuple[list[np.ndarray], str]:
    """Clips of at most 6 s at 16 kHz, and what they are: real recordings, or else voice-like ones."""
    files = real_files(count)
    if files:
        return [load_audio(file, end_s=MAX_S) for file in files], f"{len(files)} real recordings"
    return waveforms(count), f"{count} synthetic clips of real lengths"
