"""The whole of `prepare.py`, one core, beside a plain loop over librosa: `python -m benchmarks.preparation`."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import librosa
import numpy as np
import pandas as pd

from benchmarks.clips import MAX_S, real_files, waveforms, write_wavs
from benchmarks.measure import Line, Run, command_line, race, ratio, seconds
from modeling import SAMPLING_RATE
from preprocessing.acoustics import ACOUSTIC_TARGETS, FMAX_HZ, FMIN_HZ, FRAME_LENGTH, HOP_LENGTH
from preprocessing.dataset import load_prepared, prepare
from preprocessing.rows import Preparation, prepare_clip
from preprocessing.scan import Source, scan

FRAMES = {"hop_length": HOP_LENGTH}


def write_table(folder: Path, clips: int) -> tuple[Path, str]:
    """A table of recordings with made-up labels, and what they are."""
    files, what = real_files(clips), f"{clips} real recordings"
    if not files:
        files, what = write_wavs(folder / "wav", waveforms(clips)), f"{clips} synthetic clips of real lengths"
    for index, file in enumerate(files):  # a table names files below its own folder
        (folder / f"{index:05}{file.suffix}").write_bytes(file.read_bytes())
    rows = [
        {"path": f"{index:05}{file.suffix}", "emotion": ("angry", "sad")[index % 2], "locale": "en-US"}
        for index, file in enumerate(files)
    ]
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv", what


def ours(table: Path) -> Run:
    """Scans, decodes, measures, stores and divides; the targets come out, `(clips, 5)`."""
    numbers = count()

    def run() -> np.ndarray:
        with tempfile.TemporaryDirectory() as output:
            prepare(scan([Source("table", table)]), Path(output, str(next(numbers))), num_proc=1)
            return _targets(Path(output))

    run()
    return run


def _targets(output: Path) -> np.ndarray:
    (folder,) = output.iterdir()
    rows = [row for split in load_prepared(folder, "paper").values() for row in split.remove_columns("audio")]
    rows.sort(key=lambda row: row["id"])
    return np.array([[row[name] for name in ACOUSTIC_TARGETS] for row in rows], dtype=float)


def plain(table: Path) -> Run:
    """Decodes and measures with librosa, clip after clip."""
    paths = sorted(path for path in table.parent.iterdir() if path.is_file() and path != table)

    def run() -> np.ndarray:
        return np.array([_measure(path) for path in paths], dtype=float)

    _measure(paths[0])
    return run


def _measure(path: Path) -> list[float | None]:
    waveform, _ = librosa.load(path, sr=SAMPLING_RATE)
    waveform = waveform[: round(MAX_S * SAMPLING_RATE)]
    waveform = (waveform - waveform.mean()) / waveform.std()
    f0, voiced, _ = librosa.pyin(
        waveform, sr=SAMPLING_RATE, fmin=FMIN_HZ, fmax=FMAX_HZ, frame_length=FRAME_LENGTH, **FRAMES
    )
    energy = np.linalg.norm(np.abs(librosa.stft(waveform, n_fft=FRAME_LENGTH, **FRAMES)), axis=0)
    f0 = f0[voiced]
    pitch = [f0.mean(), f0.std()] if f0.size else [None, None]
    return [*pitch, energy.mean(), energy.std(), voiced.mean()]


def profile(table: Path) -> str:
    """Which functions of ours the time of a clip goes to."""
    clips = scan([Source("table", table)])
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [prepare_clip(clip, Preparation()) for clip in clips])
    stats = pstats.Stats(profiler).get_stats_profile()
    longest = sorted(stats.func_profiles.items(), key=lambda entry: -entry[1].tottime)[:6]
    return ", ".join(f"{name} {entry.tottime / stats.total_tt:.0%}" for name, entry in longest)


def measure(quick: bool) -> list[Line]:
    """Ours beside the plain loop."""
    with tempfile.TemporaryDirectory() as folder:
        table, what = write_table(Path(folder), 4 if quick else 24)
        laps = race({"ours": partial(ours, table), "plain loop": partial(plain, table)}, budget_s=60)
        np.testing.assert_allclose(laps["ours"].result, laps["plain loop"].result, rtol=1e-4)
        where = profile(table)
    rates = ", ".join(f"{name} {len(lap.result) / lap.median:.1f}" for name, lap in laps.items())
    return [
        Line(
            "the whole of prepare.py, clips per second and core",
            "decode + librosa.pyin + STFT in a plain loop, which stores nothing",
            **ratio(laps, "ours", "plain loop"),
            target=3.0,
            note=f"{what}; {seconds(laps)}; clips per second: {rates}. The targets are the same to 1e-4. Time of a "
            f"clip: {where}.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
