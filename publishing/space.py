"""Checkpoint, or its Hub id -> a Space: `app.py`, the modules that it imports, pinned requirements, a card."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import ModelCard, SpaceCardData

from common.checkpoint import load_config
from common.templates import template_environment
from modeling.auto_ser import architecture_of

from .card import ROOT
from .export import export_checkpoint

APP = "app.py"
MODEL = "model"  # folder in which app.py expects a checkpoint
PYTHON = "3.11"
# Requirements of the page, with the versions of constraints.txt.
REQUIREMENTS = (
    *("torch", "transformers", "huggingface-hub", "safetensors", "numpy", "pandas", "pyarrow", "joblib", "jinja2"),
    *("soundfile", "av", "soxr", "fsspec", "silero-vad", "espeakng-loader", "gradio", "tqdm"),
    *("prometheus-client", "websockets"),
)
_ASSETS = (".jinja", ".css", ".js")
_LICENSES = re.compile(r"\n## Training data and licenses\n(.*?)(?=\n## )", re.DOTALL)


def export_space(model: str, output: Path, repo_id: str) -> list[Path]:
    """Writes the files of a Space.

    Args:
        model: folder of a checkpoint, which is copied to the Space; or a Hub id, which the Space downloads.
        output: an empty folder.
        repo_id: `ORG/NAME` of the Space.

    Returns:
        The files, sorted.

    Raises:
        ValueError: `model` is not a complete checkpoint of this project.
    """
    config = load_config(model)
    if architecture_of(config) is None:
        raise ValueError(f"{model} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    pins = _pins()
    data = SpaceCardData(
        title=repo_id.rpartition("/")[2],
        sdk="gradio",
        sdk_version=pins["gradio"],
        python_version=PYTHON,
        app_file=APP,
        license="apache-2.0",
        tags=["audio", "speech-emotion-recognition"],
    )
    variables: dict[str, str | None] = {"repo_id": repo_id, "model": None, "licenses": None}
    if Path(model).is_dir():
        license, variables["licenses"] = _export_weights(Path(model), output / MODEL, repo_id)
        for name, value in license.items():
            data[name] = value
    else:
        variables["model"] = model
        data["models"] = [model]
    for source in [ROOT / "LICENSE", *_code()]:
        target = output / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (output / "requirements.txt").write_text("".join(f"{name}=={pins[name]}\n" for name in REQUIREMENTS), "utf-8")
    text = template_environment(Path(__file__).parent).get_template("space.md.jinja").render(variables)
    (output / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n\n{text}", encoding="utf-8")
    return sorted(path for path in output.rglob("*") if path.is_file())


def _export_weights(checkpoint: Path, output: Path, repo_id: str) -> tuple[dict[str, str], str]:
    """Writes the files of a checkpoint that a page loads; returns the license fields and section of its card."""
    files = export_checkpoint(checkpoint, output, repo_id)
    card = ModelCard.load(output / "README.md")
    for path in files:  # the Space has the code and a card at its root
        if path.suffix not in (".json", ".safetensors"):
            path.unlink()
    shutil.rmtree(output / "figures", ignore_errors=True)
    license = {"license": card.data["license"]}
    if name := card.data.get("license_name"):
        link = f"https://huggingface.co/spaces/{repo_id}#training-data-and-licenses"
        license |= {"license_name": name, "license_link": link}
    section = _LICENSES.search(card.text)
    return license, section[1].strip() if section else ""


def _code() -> list[Path]:
    """`app.py`, every module of the project that it needs, and the templates and styles next to them."""
    found, waiting = set(), [ROOT / APP]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    neighbors = {path for file in found - {ROOT / APP} for path in file.parent.iterdir()}
    return sorted(found | {path for path in neighbors if path.suffix in _ASSETS})


def _imported(path: Path) -> Iterator[Path]:
    """The project's files that a file imports, at any depth of its code, and their packages."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = path.parent if node.level else ROOT
            module = base.joinpath(*(node.module or "").split("."))
            candidates = [module.with_suffix(".py"), *(module / f"{alias.name}.py" for alias in node.names)]
            yield from (file for file in [*candidates, module / "__init__.py"] if file.is_file())
            if (module.parent / "__init__.py").is_file():
                yield module.parent / "__init__.py"


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines)
