"""The whole of `prepare.py`, one core, beside a simple loop over librosa: `python -m benchmarks.preparation`."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pandas as pd
import soundfile

from benchmarks.clips import MAX_S, real_files, waveforms, write_wavs
from benchmarks.measure import Line, Run, command_line, one_core, race, ratio, seconds, shares
from modeling import SAMPLING_RATE
from preprocessing.clip import Clip
from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.rows import PreparationConfig, prepare_clip
from preprocessing.targets.acoustics import ACOUSTIC_TARGETS, FMAX_HZ, FMIN_HZ, FRAME_LENGTH, HOP_LENGTH

CLIPS = 160
FRAMES: dict[str, Any] = {"hop_length": HOP_LENGTH}


def write_table(folder: Path, clips: int) -> tuple[Path, str]:
    """A table of recordings with made-up labels, and what they are."""
    files = real_files(clips)
    what = "real recordings" if files else "synthetic clips of real lengths"
    files = files or write_wavs(folder / "wav", waveforms(clips))
    for index, file in enumerate(files):  # a table names files below its own folder
        (folder / f"{index:05}{file.suffix}").write_bytes(file.read_bytes())
    rows = [
        {"path": f"{index:05}{file.suffix}", "emotion": ("angry", "sad")[index % 2], "locale": "en-US"}
        for index, file in enumerate(files)
    ]
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv", f"{len(files)} {what}"


def recordings(table: Path) -> list[Path]:
    """The files of the table, in its order."""
    return [table.parent / path for path in pd.read_csv(table)["path"]]


def speech(paths: Sequence[Path]) -> float:
    """Seconds of these files that are measured."""
    return sum(min(soundfile.info(path).duration, MAX_S) for path in paths)


def ours(table: Path) -> Run:
    """Scans, decodes, measures, stores and splits on one core, start included; returns the seconds of speech."""
    one_core()

    def run() -> float:
        with tempfile.TemporaryDirectory() as output:
            prepare(scan([Source("table", table)]), Path(output, "prepared"), num_proc=1)
        return analyzed

    analyzed = speech(recordings(table))
    return run


def simple(table: Path) -> Run:
    """Decodes and measures every tenth clip with librosa on one core; returns the seconds of speech.

    The time of a simple loop is proportional to the clips, so that a tenth of them is enough to measure its speed.
    """
    one_core()
    paths = recordings(table)[::10]
    analyzed = speech(paths)

    def run() -> float:
        for path in paths:
            _measure(path)
        return analyzed

    _measure(paths[0])  # numba compiles
    return run


def greatest_difference(table: Path) -> float:
    """Between the targets that are stored and those of the simple loop, every tenth clip's, relative."""
    with tempfile.TemporaryDirectory() as output:
        prepare(scan([Source("table", table)]), Path(output, "prepared"))
        stored = _targets(Path(output, "prepared"))[::10]
    simple_targets = np.array([_measure(path) for path in recordings(table)[::10]], dtype=float)
    assert np.array_equal(np.isnan(stored), np.isnan(simple_targets)), "a clip has voice in one way only"
    return float(np.nanmax(np.abs(stored / simple_targets - 1)))


def _targets(prepared: Path) -> np.ndarray:
    rows = [row for split in load_prepared(prepared, "paper").values() for row in split.remove_columns("audio")]
    rows.sort(key=lambda row: row["id"])
    return np.array([[row[name] for name in ACOUSTIC_TARGETS] for row in rows], dtype=float)


def _measure(path: Path) -> list[float | None]:
    waveform, _ = librosa.load(path, sr=SAMPLING_RATE)
    waveform = waveform[: round(MAX_S * SAMPLING_RATE)]
    standardized = (waveform - waveform.mean()) / waveform.std()
    f0, voiced, _ = librosa.pyin(
        standardized, sr=SAMPLING_RATE, fmin=FMIN_HZ, fmax=FMAX_HZ, frame_length=FRAME_LENGTH, **FRAMES
    )
    energy, normalized = (
        np.linalg.norm(np.abs(librosa.stft(sound, n_fft=FRAME_LENGTH, **FRAMES)), axis=0)
        for sound in (waveform, standardized)
    )
    f0 = f0[voiced]
    pitch = [f0.mean(), f0.std()] if f0.size else [None, None]
    return [*pitch, energy.mean(), energy.std(), voiced.mean(), normalized.mean(), normalized.std()]


def profile(table: Path) -> str:
    """The functions that take the most time of a clip."""
    clips = scan([Source("table", table)])
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [prepare_clip(clip, PreparationConfig()) for clip in clips if isinstance(clip, Clip)])
    stats = pstats.Stats(profiler).get_stats_profile()
    return shares({name: entry.tottime for name, entry in stats.func_profiles.items()})


def measure(quick: bool) -> list[Line]:
    """Ours beside the simple loop."""
    with tempfile.TemporaryDirectory() as folder:
        table, what = write_table(Path(folder), 20 if quick else CLIPS)
        difference = greatest_difference(table)
        assert difference < 1e-4, f"a target differs by {difference} from the simple loop's"
        laps = race({"ours": partial(ours, table), "simple loop": partial(simple, table)}, budget_s=60)
        where = profile(table)
    rates = ", ".join(f"{name} {lap.result / lap.median:.1f}" for name, lap in laps.items())
    return [
        Line(
            "the whole of prepare.py, speech per second on one core",
            "decode + librosa.pyin + STFT in a simple loop, which stores nothing",
            **ratio(laps, "ours", "simple loop", per_result=True),
            target=3.0,
            note=f"{what}, the simple loop every tenth; {seconds(laps)}, ours with the start of its worker; seconds of "
            f"speech per second: {rates}. No target differs by more than {difference:.1g}. Time of a clip: {where}.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
