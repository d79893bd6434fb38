"""Checkpoint -> the files of its Hub repository. Only files that are listed here are published."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import AutoFeatureExtractor, PreTrainedConfig
from transformers.dynamic_module_utils import custom_object_save
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from common.checkpoint import load_config
from common.checkpoint_files import weight_files, weights_sha256
from modeling import ARCHITECTURES
from modeling.auto_ser import architecture_of

from .card import ROOT, render_card, shown_figures

_EVALUATE = "run `evaluate.py {checkpoint} --data DIR --output {checkpoint}`"
_NEEDED = {  # file -> the reason why it is missing, and what to do
    "preprocessor_config.json": "it is not a complete checkpoint: use the output folder of a finished training",
    "metrics.json": f"it was not evaluated: {_EVALUATE}",
    "training.json": "its training data are unknown, because an earlier version trained it: train it again",
}


def export_checkpoint(checkpoint: Path, output: Path, repo_id: str, *, float16: bool = False) -> list[Path]:
    """Writes the published files of a checkpoint: weights, configuration, code, card, records, license.

    The code is that of this project, whatever code the checkpoint's folder holds. Weights are linked or copied without
    loading.

    Args:
        checkpoint: folder that `train.py` wrote.
        output: folder to write to, which is empty or does not exist.
        repo_id: `ORG/NAME` of the repository.
        float16: whether to store the weights in half the bytes, rounded to 11 bits; they are still loaded in float32.

    Returns:
        The files, sorted.

    Raises:
        ValueError: the folder is not a complete checkpoint of this project, a file that the card needs is missing or
            belongs to other weights, or `output` is not empty.
        OSError: the disk is full.
    """
    if output.exists() and any(output.iterdir()):
        raise ValueError(f"{output} is not empty: export to an empty folder.")
    config = load_config(checkpoint)
    architecture = architecture_of(config)
    if architecture is None:
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    weights = _check_weights(checkpoint, config)
    metrics, training = _read_records(checkpoint)
    shown = shown_figures(metrics["main_task"]).values()
    figures = [name for name in shown if (checkpoint / "figures" / name).is_file()]
    metrics |= {"checkpoint": repo_id, "model": repo_id}  # not where they are on this machine
    try:
        card = render_card(metrics, training, config.to_dict(), repo_id, figures)
    except (KeyError, TypeError, AttributeError, UndefinedError) as error:
        raise ValueError(
            f"metrics.json or training.json of {checkpoint} has the form of another version ({error}): evaluate "
            "it again."
        ) from error

    output.mkdir(parents=True, exist_ok=True)
    _write_weights(weights, output, float16)
    metrics["weights_sha256"] = weights_sha256(output)
    _save_code(config, architecture, output)
    AutoFeatureExtractor.from_pretrained(checkpoint, trust_remote_code=False).save_pretrained(output)
    _write_json(output / "metrics.json", metrics)
    _write_json(output / "training.json", training)
    (output / "README.md").write_text(card, encoding="utf-8")
    _copy_figures(figures, checkpoint, output)
    shutil.copyfile(ROOT / "LICENSE", output / "LICENSE")
    return sorted(path for path in output.rglob("*") if path.is_file())


def _read_records(checkpoint: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """`metrics.json`, which must belong to the weights, and `training.json`."""
    _, metrics, training = (_read(checkpoint, name) for name in _NEEDED)
    if metrics.get("weights_sha256") != weights_sha256(checkpoint):
        raise ValueError(
            f"{checkpoint / 'metrics.json'} does not belong to the weights of this checkpoint: "
            f"{_EVALUATE.format(checkpoint=checkpoint)}."
        )
    if not metrics["tasks"][metrics["main_task"]]["clips"]:
        raise ValueError(f"{checkpoint} was evaluated without clips that have a label for {metrics['main_task']}.")
    return metrics, training


def _read(checkpoint: Path, name: str) -> dict[str, Any]:
    path = checkpoint / name
    if not path.is_file():
        raise ValueError(f"{checkpoint} lacks {name}: {_NEEDED[name].format(checkpoint=checkpoint)}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error


def _check_weights(checkpoint: Path, config: PreTrainedConfig) -> list[Path]:
    """The files of the weights (and the index of shards), whose headers have the heads of the configuration."""
    files = weight_files(checkpoint)
    heads: dict[str, int] = {}
    for path in files:
        if not path.is_file():
            raise ValueError(f"{checkpoint} is not a complete checkpoint: it lacks {path.name}.")
        try:
            with safe_open(path, "np") as file:
                found = [key for key in file.keys() if key.startswith("heads.") and key.endswith(".weight")]  # noqa: SIM118
                heads |= {key.split(".")[1]: file.get_slice(key).get_shape()[0] for key in found}
        except SafetensorError as error:
            raise ValueError(f"{path} is not a complete file of weights: {error}") from error
    expected = {task.name: task.num_outputs for task in config.get_tasks()}
    if heads != expected:
        raise ValueError(f"The weights of {checkpoint} have the heads {heads}, but config.json has {expected}.")
    return files if files == [checkpoint / SAFE_WEIGHTS_NAME] else [checkpoint / SAFE_WEIGHTS_INDEX_NAME, *files]


def _write_weights(files: Sequence[Path], output: Path, float16: bool) -> None:
    for path in files:
        write = _write_float16 if float16 and path.suffix == ".safetensors" else _link
        write(path, output / path.name)


def _copy_figures(names: Sequence[str], checkpoint: Path, output: Path) -> None:
    for name in names:
        (output / "figures").mkdir(exist_ok=True)
        shutil.copyfile(checkpoint / "figures" / name, output / "figures" / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write_float16(source: Path, target: Path) -> None:
    with safe_open(source, "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        save_file({name: weight.half() for name, weight in weights.items()}, target, file.metadata())
    target.chmod(0o644)  # https://github.com/safetensors/safetensors/issues/782


def _save_code(config: PreTrainedConfig, architecture: str, output: Path) -> None:
    """Writes `config.json`, and the modules that it refers to with all their imports."""
    model = ARCHITECTURES[architecture]
    # A configuration from the Hub refers to the repository of its code.
    config.auto_map = dict.fromkeys(("AutoModel", "AutoModelForAudioClassification"), config.auto_model)
    config.architectures = [model.__name__]
    config.name_or_path = ""
    config.save_pretrained(output)  # of a registered class, so with its code and its entry in auto_map
    custom_object_save(model, output)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
