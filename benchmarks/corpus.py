"""Prepared folders to train on: of real lengths, or of many small clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from benchmarks.clips import waveforms, write_wavs
from modeling import SAMPLING_RATE
from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import prepare

_LABELS = {"emotion": ("angry", "happy", "sad"), "gender": ("female", "male"), "locale": ("en-US", "de-DE")}


def prepare_training_clips(folder: Path, count: int) -> Path:
    """A prepared folder whose training split has `count` clips of real lengths."""
    paths = write_wavs(folder / "wav", waveforms(count + 2))  # an authors' partition is kept if it is complete
    splits = [*["train"] * count, "validation", "test"]
    rows = [_row(i, f"wav/{path.name}", split=split) for i, (path, split) in enumerate(zip(paths, splits, strict=True))]
    return _prepare(folder, rows)


def write_small_clips(folder: Path, count: int) -> Path:
    """A table of clips of 0.6 s, all of them stretches of one silent recording, so that they cost little."""
    folder.mkdir(parents=True)
    soundfile.write(folder / "long.wav", np.zeros(60 * SAMPLING_RATE, np.float32), SAMPLING_RATE)
    starts = np.linspace(0, 59, count).round(6)
    rows = [_row(i, "long.wav", start_s=start, end_s=round(start + 0.6, 6)) for i, start in enumerate(starts.tolist())]
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def _row(index: int, path: str, **more: object) -> dict:
    labels = {name: values[index % len(values)] for name, values in _LABELS.items()}
    return {"path": path, "speaker": f"s{index % 7}", **labels, **more}


def _prepare(folder: Path, rows: list[dict]) -> Path:
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    prepare(scan([Source("table", folder / "table.csv")]), folder / "prepared")
    return folder / "prepared"
