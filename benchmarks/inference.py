"""A folder of clips, at full size on the CPU, beside the stock pipeline: `python -m benchmarks.inference`."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soundfile
import torch
from transformers import pipeline

from benchmarks.clips import folder_sample, speech, waveforms, write_wavs
from benchmarks.machine import this_machine
from benchmarks.measure import Laps, Line, Run, command_line, race, ratio, seconds, shares, spread, torch_profile
from benchmarks.models import feature_extractor, restore_convolutions, write_checkpoint
from common.checkpoint import load_checkpoint
from common.checkpoint_name import DEFAULT_CHECKPOINT
from inference.engine.backend import pad
from inference.engine.onnx_backend import FILES, INPUTS
from inference.engine.predictor import load_predictor
from inference.onnx.graph import write_float32
from inference.onnx.int8 import write_int8
from inference.onnx.sensitivity import BOUND, measure_sensitivity, product_groups
from modeling import load_audio

STOCK_BATCHES = (1, 2, 4, 8)
LAYERS = 24
# Ways to their flags.
CLAIMED = {"float32": "float32", "auto": "--precision auto", "int8": "--backend onnx --precision int8"}


def ours(folder: Path, checkpoint: Path, **options: Any) -> Run:
    """Decodes and predicts every file; it returns the emotion probabilities, `(files, labels)`."""
    predict = load_predictor(str(checkpoint), **options)
    paths = sorted(folder.iterdir())
    predict([load_audio(path) for path in paths[:2]])
    return lambda: predict([load_audio(path) for path in paths])["emotion"]


def stock(
    folder: Path, checkpoint: Path, batch_size: int, half: bool = False, dtype: torch.dtype = torch.float32
) -> Run:
    """The same with `transformers.pipeline("audio-classification")` on what soundfile decodes."""
    model: Any = load_checkpoint(checkpoint)[0]
    model.to(dtype)
    restore_convolutions(model)
    labels = model.config.main_task.labels
    classify = pipeline("audio-classification", model=model, feature_extractor=feature_extractor(), top_k=None)
    paths = sorted(folder.iterdir())
    if half:
        paths = paths[: len(paths) // 2]  # one batch of eight

    def decoded(files: list[Path]) -> Iterator[dict]:
        for path in files:
            raw, rate = soundfile.read(path, dtype="float32")
            yield {"raw": raw, "sampling_rate": rate}

    def run(files: list[Path] = paths) -> np.ndarray:
        outputs: Any = classify(decoded(files), batch_size=batch_size)  # type: ignore[arg-type]
        scores = [{entry["label"]: entry["score"] for entry in output} for output in outputs]
        return np.array([[clip[label] for label in labels] for clip in scores])

    run(paths[:2])
    return run


def export(checkpoint: Path, folder: Path, clips: Sequence[np.ndarray] = ()) -> Path:
    """What `inference.onnx --precision int8` writes, without its comparison on clips.

    Without clips to measure with, all groups of products are in 8 bits: random weights say nothing about trained ones.
    """
    folder.mkdir()
    model, _ = load_checkpoint(checkpoint)
    groups = measure_sensitivity(model, clips, BOUND).quantized if clips else product_groups(model)
    write_float32(model, folder / FILES["float32"])
    write_int8(folder / FILES["float32"], folder / FILES["int8"], groups)
    model.config.to_json_file(folder / "config.json")
    return folder


def agreement(count: int) -> list[Line]:
    """On how many clips of people the released model predicts the same emotion in a precision as in float32."""
    clips, what = speech(count)
    with tempfile.TemporaryDirectory() as temporary:
        exported = str(export(Path(DEFAULT_CHECKPOINT), Path(temporary, "onnx"), clips[:: len(clips) // 32 or 1]))
        exact = load_predictor(DEFAULT_CHECKPOINT)(clips)["emotion"]
        auto = load_predictor(DEFAULT_CHECKPOINT, precision="auto")
        int8 = load_predictor(exported, backend="onnx", precision="int8")
        return [
            _same_emotion("auto", auto(clips)["emotion"], exact, 99.5, f"{what}; auto is {auto.precision} here"),
            _same_emotion("int8", int8(clips)["emotion"], exact, 99.0, what),
        ]


def _same_emotion(precision: str, found: np.ndarray, exact: np.ndarray, target: float, what: str) -> Line:
    share = 100 * float((found.argmax(axis=1) == exact.argmax(axis=1)).mean())
    return Line(
        f"the same emotion, the released model, {precision}",
        "float32",
        **spread([share]),
        target=target,
        unit=" %",
        note=f"{what}; probabilities differ by {np.abs(found - exact).max():.2g} at most.",
    )


def onnx_profile(file: Path, folder: Path) -> str:
    """The operators in which ONNX Runtime spends its time with the files of a folder, one after the other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as of a worker on two cores
    options.enable_profiling, options.profile_file_prefix = True, str(file.parent / "profile")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    for path in sorted(folder.iterdir()):
        session.run(None, dict(zip(INPUTS, pad([load_audio(path)]), strict=True)))
    times: Counter[str] = Counter()
    for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    return shares(times)


def chosen_precision(checkpoint: Path) -> str:
    """What `--precision auto` is on this machine."""
    return load_predictor(str(checkpoint), precision="auto").precision


def measure(quick: bool) -> list[Line]:
    """Each precision beside the stock pipeline at the batch size that suits it best, and how often it agrees."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, checkpoint = Path(temporary, "clips"), Path(temporary, "checkpoint")
        write_wavs(folder, waveforms(4) if quick else folder_sample(2))
        write_checkpoint(checkpoint, 2 if quick else LAYERS, quick=quick)
        return [*speed(folder, checkpoint, Path(temporary, "onnx")), *agreement(4 if quick else 1199)]


def speed(folder: Path, checkpoint: Path, onnx: Path) -> list[Line]:
    """Float32, `auto`, and 8 bits with ONNX Runtime, each beside the stock pipeline.

    Args:
        folder: of clips.
        checkpoint: of the model.
        onnx: folder to export it to.
    """
    exported = export(checkpoint, onnx)
    precision = chosen_precision(checkpoint)
    # One round on half of the clips finds the best batch size of the stock pipeline.
    trial = race(
        {str(size): partial(stock, folder, checkpoint, size, half=True) for size in STOCK_BATCHES},
        min_rounds=1,
        max_rounds=1,
    )
    best = min(trial, key=lambda size: trial[size].median)
    ways = {
        "stock": partial(stock, folder, checkpoint, int(best)),
        "float32": partial(ours, folder, checkpoint),
        "auto": partial(ours, folder, checkpoint, precision="auto"),
        "int8": partial(ours, folder, exported, backend="onnx", precision="int8"),
    }
    laps = race(ways, budget_s=60, min_rounds=2, max_rounds=5)
    difference = np.abs(laps["float32"].result - laps["stock"].result).max()
    assert difference < 1e-5, f"ours differs from the stock pipeline by {difference}"
    machine = this_machine()
    return [
        _line(
            laps,
            "float32",
            1.4,
            f"{len(list(folder.iterdir()))} synthetic clips, two of the batches into which a folder of 1,000 clips is "
            f"grouped by length, {len(laps['stock'].seconds)} rounds; {seconds(laps)}. Greatest difference "
            f"{difference:.1g}. A half of them in the stock pipeline by batch size: {seconds(trial)}. "
            f"Time: {torch_profile(ours(folder, checkpoint))}.",
        ),
        _line(
            laps,
            "auto",
            3.0 if machine.has_amx else None,
            f"auto is {precision} here. Time: {torch_profile(ours(folder, checkpoint, precision='auto'))}.",
        ),
        _line(
            laps,
            "int8",
            6.0 if machine.has_vnni else 2.2,
            f"Time: {onnx_profile(exported / FILES['int8'], folder)}.",
        ),
    ]


def _line(laps: dict[str, Laps], way: str, target: float | None, note: str) -> Line:
    return Line(
        f"inference over a folder, full size, CPU, {CLAIMED[way]}",
        "stock pipeline at its best batch size",
        **ratio(laps, way, "stock"),
        target=target,
        note=note,
    )


if __name__ == "__main__":
    command_line(measure, __doc__)
