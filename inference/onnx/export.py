"""Checkpoint -> a folder with its ONNX files, its configuration, and the comparison of each file with PyTorch."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from common.audio_files import AUDIO_SUFFIXES, walk
from common.checkpoint import load_checkpoint
from common.outputs import check_empty
from common.versions import versions
from modeling import AudioError, load_audio

from ..engine.onnx_backend import FILES, onnx_network
from ..engine.torch_backend import torch_network
from .graph import write_float16, write_float32
from .int8 import check_int8, write_int8
from .parity import compare, synthetic_clips
from .sensitivity import BOUND, Sensitivity, measure_sensitivity

LIMIT = 1e-4  # by which an output in float32 may differ from PyTorch's, before softmax or in standard deviations
_CLIPS = 32  # that choose what stays in float32 in int8
_PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")


def export_folder(
    checkpoint: str,
    output: Path,
    *,
    precisions: Sequence[str] = ("float32",),
    check: Path | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes `model.onnx`, the variants, `config.json`, `preprocessor_config.json` and `parity.json`.

    Args:
        checkpoint: folder or Hub id.
        output: folder to write to, empty or new. It is written completely or not at all.
        precisions: of `"float32"`, `"int8"`, `"float16"`; float32 is always written.
        check: folder of recordings to compare on, in addition to synthetic clips.
        overwrite: whether `output` may contain files; those of an export are replaced.

    Returns:
        The content of `parity.json`.

    Raises:
        ValueError: the checkpoint or the recordings do not exist, `output` contains files, a package is missing, a
            precision is not possible for the network, or outputs differ more than they may.
    """
    check_empty(output, overwrite)
    used = _versions()
    recordings = [] if check is None else _find_recordings(check)
    model, feature_extractor = load_checkpoint(checkpoint)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as unfinished:
        folder = Path(unfinished, output.name)
        folder.mkdir()
        files, sensitivity = _write_graphs(model, folder, precisions, recordings)
        model.config.to_json_file(folder / "config.json")
        feature_extractor.to_json_file(folder / "preprocessor_config.json")
        parity = {
            "checkpoint": checkpoint,
            "versions": used,
            "threads": torch.get_num_threads(),
            "megabytes": {name: round(file.stat().st_size / 1e6, 1) for name, file in files.items()},
            **({"int8": {"bound": BOUND, **asdict(sensitivity)}} if sensitivity else {}),
            **_compare(model, files, recordings),
        }
        (folder / "parity.json").write_text(json.dumps(parity, indent=1, ensure_ascii=False), encoding="utf-8")
        output.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.replace(output / file.name)
    return parity


def _versions() -> dict[str, str]:
    try:
        return versions(*_PACKAGES)
    except PackageNotFoundError as error:
        raise ValueError(f"The export needs {error.name}: pip install -e '.[onnx]'") from error


def _find_recordings(folder: Path) -> list[Path]:
    recordings = list(walk(folder, AUDIO_SUFFIXES))
    if not recordings:
        raise ValueError(f"{folder} contains no audio or video files; files are recognized by their suffixes.")
    return recordings


def _write_graphs(
    model: PreTrainedModel, folder: Path, precisions: Sequence[str], recordings: Sequence[Path]
) -> tuple[dict[str, Path], Sensitivity | None]:
    """Precision to its file, and what was measured for int8."""
    files = {name: folder / FILES[name] for name in FILES if name == "float32" or name in precisions}
    sensitivity = None
    if "int8" in files:
        check_int8(model)  # before the minutes that follow
        clips = _calibration_clips(recordings, model.config.max_duration_s)
        sensitivity = measure_sensitivity(model, clips, BOUND)
    write_float32(model, files["float32"])
    if sensitivity:
        write_int8(files["float32"], files["int8"], sensitivity.quantized)
    if "float16" in files:
        write_float16(model, files["float32"], files["float16"])
    return files, sensitivity


def _calibration_clips(recordings: Sequence[Path], max_duration_s: float) -> list[np.ndarray]:
    """Recordings spread over the folder; to a few of them, synthetic clips are added."""
    count = min(_CLIPS, len(recordings))
    spread = [recordings[len(recordings) * place // count] for place in range(count)]
    clips = [*_read(spread, max_duration_s, [])]
    return clips if len(clips) == _CLIPS else [*clips, *synthetic_clips(max_duration_s)]


def _compare(model: PreTrainedModel, files: dict[str, Path], recordings: Sequence[Path]) -> dict[str, Any]:
    """Per set of clips: its size, and the result of `compare`."""
    networks = {"torch": torch_network(model)} | {name: onnx_network(file) for name, file in files.items()}
    tasks = model.config.get_tasks()
    clips = synthetic_clips(model.config.max_duration_s)
    precisions = compare(networks, tasks, clips)
    _check(precisions)
    compared: dict[str, dict[str, Any]] = {"synthetic": {"clips": len(clips), "precisions": precisions}}
    if recordings:
        unreadable: list[str] = []
        precisions = compare(networks, tasks, _read(recordings, model.config.max_duration_s, unreadable))
        _check(precisions)
        num_clips = len(recordings) - len(unreadable)
        compared["recordings"] = {"clips": num_clips, "unreadable": unreadable, "precisions": precisions}
    return compared


def _read(recordings: Sequence[Path], max_duration_s: float, unreadable: list[str]) -> Iterator[np.ndarray]:
    """The model's window of each recording; errors of those that cannot be read are added to `unreadable`."""
    for path in recordings:
        try:
            yield load_audio(path, end_s=max_duration_s)
        except (AudioError, OSError) as error:
            unreadable.append(str(error))


def _check(precisions: dict[str, dict[str, Any]]) -> None:
    """Raises a `ValueError` if float32 differs by more than rounding, or outputs of a precision are not finite."""
    for name, found in precisions.items():
        for head, difference in found.get("max_difference", {}).items():
            if not math.isfinite(difference):
                raise ValueError(f"The outputs of the head {head} overflow in {name}: leave that precision out.")
            if name == "float32" and difference > LIMIT:
                raise ValueError(
                    f"The outputs of the head {head} differ from PyTorch's by {difference:.1e}; expected at most "
                    f"{LIMIT:.0e}. Nothing was written. constraints.txt lists versions of torch, onnxscript and "
                    "onnxruntime that work together."
                )
