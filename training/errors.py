"""What ended a training -> a sentence, where it is no bug: a loss that is no number, a full disk, a killed worker."""

from __future__ import annotations

from safetensors import SafetensorError

from evaluation.metrics.compute import DivergedError

# What torch says, in no error of its own: where a file cannot be written, and where a process that decodes was killed.
_WRITER, _WORKER = "inline_container", "DataLoader worker (pid"
_GO_ON = "The same command goes on from the last checkpoint, a single training with --resume_from_checkpoint latest."


def describe_failure(error: Exception) -> str | None:
    """The sentence for people; `None` for a bug, whose traceback is wanted."""
    if isinstance(error, DivergedError):
        return str(error)
    said = str(error).partition("\n")[0].strip(" .")
    if _WRITER in said:
        return f"A checkpoint cannot be written: is the disk full? {_GO_ON}"
    if isinstance(error, OSError | SafetensorError) or _WORKER in said:
        return f"{said}. {_GO_ON}"
    return None
