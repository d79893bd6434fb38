"""Which checkpoint of an output folder a training goes on from, and what it must not be mixed with."""

from __future__ import annotations

import json
import re
from pathlib import Path

from transformers import TrainingArguments

LATEST = ("latest", "true", "True")
SWEEP = "sweep"  # folder of a sweep's points in its output folder
STUDY = "study.db"


def checkpoint_to_resume(output_dir: Path, resume_from: str | None) -> str | None:
    """The checkpoint that training goes on from, `None` to start from the beginning.

    Args:
        output_dir: where the training writes.
        resume_from: a checkpoint, `latest` for the last whole one in `output_dir` (or the beginning, where there is
            none), or `None`.

    Raises:
        ValueError: `output_dir` holds another training that would be mixed with this one, or there is no such
            checkpoint.
    """
    if (output_dir / SWEEP / STUDY).exists():
        raise ValueError(f"{output_dir} holds a sweep. Go on with it by --sweep, or choose another --output_dir.")
    if resume_from is None or resume_from == "false":
        if _holds_training(output_dir):
            raise ValueError(
                f"{output_dir} holds another training. Go on with it by --resume_from_checkpoint "
                "latest, or choose another --output_dir."
            )
        return None
    if resume_from in LATEST:
        whole = [path for path in _checkpoints(output_dir) if _is_whole(path)]
        if not whole and _is_finished(output_dir):
            raise ValueError(
                f"{output_dir} holds a finished training without a checkpoint to resume from, and to begin again would "
                "replace it: choose another --output_dir."
            )
        return str(whole[-1]) if whole else None
    if not _is_whole(Path(resume_from)):
        raise ValueError(f"--resume_from_checkpoint {resume_from}: no whole checkpoint is there.")
    if Path(resume_from).resolve().parent != output_dir.resolve() and _holds_training(output_dir):
        raise ValueError(
            f"{output_dir} holds another training than --resume_from_checkpoint {resume_from}: choose another "
            "--output_dir."
        )
    return resume_from


def check_sweep(args: TrainingArguments) -> None:
    """Checks that a sweep with these settings can choose among its points, and what is in `output_dir` already.

    Raises:
        ValueError: it cannot, or `output_dir` holds a training that is no sweep.
    """
    output = Path(args.output_dir)
    if args.resume_from_checkpoint not in (None, "false"):
        raise ValueError("--sweep goes on by itself with what is in --output_dir: drop --resume_from_checkpoint.")
    if not args.load_best_model_at_end:
        raise ValueError(
            "--sweep compares points by the validation clips: it needs --load_best_model_at_end true, with "
            "--eval_strategy and --save_strategy epoch or steps."
        )
    if args.save_only_model:
        raise ValueError("--save_only_model leaves nothing that a stopped point of a --sweep could go on with.")
    if not (output / SWEEP / STUDY).exists() and _holds_training(output):
        raise ValueError(f"{output} holds a training that is no sweep: choose another --output_dir.")


def _holds_training(output_dir: Path) -> bool:
    return bool(_checkpoints(output_dir)) or _is_finished(output_dir)


def _is_finished(output_dir: Path) -> bool:
    return (output_dir / "model.safetensors").exists()


def _checkpoints(output_dir: Path) -> list[Path]:
    found = [path for path in output_dir.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def _is_whole(path: Path) -> bool:
    """Whether the Trainer finished writing: its state is the last file that it writes."""
    try:
        json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
