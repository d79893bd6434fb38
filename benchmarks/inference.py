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
from transformers import pipeline

from benchmarks.clips import folder_sample, real_files, waveforms, write_wavs
from benchmarks.measure import Line, Run, command_line, race, ratio, seconds, shares, torch_profile
from benchmarks.models import feature_extractor, write_checkpoint
from common.checkpoint import load_checkpoint
from inference.engine.backend import pad
from inference.engine.onnx_backend import FILES, INPUTS
from inference.engine.predictor import load_predictor
from inference.onnx.graph import write_float32
from inference.onnx.int8 import write_int8
from inference.onnx.sensitivity import BOUND, measure_sensitivity, product_groups
from modeling import load_audio

STOCK_BATCHES = (1, 2, 4, 8)
LAYERS = 24


def ours(folder: Path, checkpoint: Path, **options: Any) -> Run:
    """Decodes and predicts every file; it returns the emotion probabilities, `(files, labels)`."""
    predict = load_predictor(str(checkpoint), **options)
    paths = sorted(folder.iterdir())
    predict([load_audio(path) for path in paths[:2]])
    return lambda: predict([load_audio(path) for path in paths])["emotion"]


def stock(folder: Path, checkpoint: Path, batch_size: int, half: bool = False) -> Run:
    """The same with `transformers.pipeline("audio-classification")` on what soundfile decodes."""
    model = load_checkpoint(checkpoint)[0]
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


def agreement(checkpoint: Path) -> str:
    """On how many clips of people the top emotion of a trained model is the same in int8 as in float32."""
    files = real_files(600)
    if not files or not checkpoint.is_dir():
        return f"The agreement was not measured: it needs SER_REAL_AUDIO and {checkpoint}."
    clips = [load_audio(file) for file in files]
    with tempfile.TemporaryDirectory() as temporary:
        exported = str(export(checkpoint, Path(temporary, "onnx"), clips[:: len(clips) // 32 or 1]))
        exact = load_predictor(str(checkpoint))(clips)["emotion"]
        rounded = load_predictor(exported, backend="onnx", precision="int8")(clips)["emotion"]
    same = (exact.argmax(axis=1) == rounded.argmax(axis=1)).mean()
    return (
        f"Top emotion of {checkpoint} as in float32 on {same:.1%} of {len(files)} real clips, greatest difference of a "
        f"score {np.abs(exact - rounded).max():.3f}."
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


def measure(quick: bool) -> list[Line]:
    """Float32, and 8 bits with ONNX Runtime, beside the stock pipeline at the batch size that suits it best."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, checkpoint = Path(temporary, "clips"), Path(temporary, "checkpoint")
        write_wavs(folder, waveforms(4) if quick else folder_sample(2))
        write_checkpoint(checkpoint, 2 if quick else LAYERS, quick=quick)
        exported = export(checkpoint, Path(temporary, "onnx"))
        # One round on half of the clips finds the best batch size of the stock pipeline.
        trial = race(
            {f"stock, {size}": partial(stock, folder, checkpoint, size, half=True) for size in STOCK_BATCHES},
            min_rounds=1,
            max_rounds=1,
        )
        best = min(trial, key=lambda name: trial[name].median)
        ways = {
            "ours": partial(ours, folder, checkpoint),
            "stock": partial(stock, folder, checkpoint, int(best[7:])),
            "int8": partial(ours, folder, exported, backend="onnx", precision="int8"),
        }
        laps = race(ways, budget_s=60, min_rounds=2, max_rounds=5)
        difference = np.abs(laps["ours"].result - laps["stock"].result).max()
        assert difference < 1e-5, f"ours differs from the stock pipeline by {difference}"
        clips = len(list(folder.iterdir()))
        profile = torch_profile(ours(folder, checkpoint))
        profile_int8 = onnx_profile(exported / FILES["int8"], folder)
    peer = f"stock pipeline, batches of {best[7:]}, the best of {', '.join(map(str, STOCK_BATCHES))}"
    found = (
        f"{clips} synthetic clips, two of the batches into which a folder of 1,000 clips is grouped by length, "
        f"{len(laps['ours'].seconds)} rounds; {seconds(laps)}."
    )
    return [
        Line(
            "inference over a folder, full size, CPU, float32",
            peer,
            **ratio(laps, "ours", "stock"),
            target=1.2,
            note=f"{found} Greatest difference {difference:.1g}. A half of them by batch size: {seconds(trial)}. "
            f"Time: {profile}.",
        ),
        Line(
            "the same with --backend onnx --precision int8",
            peer,
            **ratio(laps, "int8", "stock"),
            target=2.5,
            note=f"{agreement(Path('runs/demo'))} Time: {profile_int8}.",
        ),
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
