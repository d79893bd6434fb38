"""Files -> what every head says about each, as values and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from transformers import Pipeline

from modeling import SpeechEmotionPipeline, load_checkpoint


def load_pipeline(checkpoint: str) -> Pipeline:
    """The pipeline of a checkpoint, with this project's code and none that the checkpoint brings.

    Raises:
        ValueError: it is no whole checkpoint of this project.
    """
    model, feature_extractor = load_checkpoint(checkpoint)
    return SpeechEmotionPipeline(model, feature_extractor=feature_extractor)


def predict_files(recognise: Pipeline, files: Iterable[Path]) -> Iterator[dict]:
    """Yields `{"file", …}` with the pipeline's answer for each file, or `{"file", "error"}`."""
    for file in files:
        try:
            yield {"file": str(file), **recognise(str(file))}
        except (ValueError, OSError) as error:
            yield {"file": str(file), "error": str(error).removeprefix(f"{file}: ")}


def format_answer(answer: dict) -> str:
    """One answer in full."""
    if "error" in answer:
        return f"{answer['file']}: {answer['error']}"
    lines = [f"{answer['file']}: {answer['duration_s']:.2f} s, of which the model heard {answer['heard_s']:.2f} s"]
    for name, value in answer.items():
        if isinstance(value, list):
            lines.append(f"  {name:<14}" + "  ".join(f"{entry['label']} {entry['score']:.3f}" for entry in value))
        elif isinstance(value, dict):
            lines.append(f"  {name:<14}{value['value']:.4g} {value['unit']}".rstrip())
    return "\n".join(lines)


def format_table(answers: list[dict]) -> str:
    """A row per file: of each head the likeliest class or the value."""
    rows = [_row(answer) for answer in answers]
    names = list(dict.fromkeys(name for row in rows for name in row))
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in names}
    lines = [{name: name for name in names}, *rows]
    return "\n".join("  ".join(line.get(name, "").ljust(widths[name]) for name in names).rstrip() for line in lines)


def _row(answer: dict) -> dict[str, str]:
    row = {}
    for name, value in answer.items():
        if isinstance(value, list):
            row[name] = f"{value[0]['label']} {value[0]['score']:.2f}"
        elif isinstance(value, dict):
            row[name] = f"{value['value']:.4g} {value['unit']}".rstrip()
        else:
            row[name] = f"{value:.2f}" if isinstance(value, float) else value
    return row
