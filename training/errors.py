"""The cause of a failed training in a sentence, unless it is a bug: a diverged loss, a full disk, a killed worker."""

from __future__ import annotations

from safetensors import SafetensorError

from evaluation.metrics.compute import DivergedError

# Parts of messages of torch, which has no error class for a file that cannot be written and a killed worker process.
_WRITER, _WORKER = "inline_container", "DataLoader worker (pid"
_RESUME = (
    "To resume from the last checkpoint, run the same command again, with --resume_from_checkpoint latest unless it is "
    "a sweep, or has several seeds or folds."
)


def describe_failure(error: Exception) -> str | None:
    """A sentence about an expected failure; `None` for a bug, whose traceback is shown."""
    if isinstance(error, DivergedError):
        return str(error)
    message = str(error).partition("\n")[0].strip(" .")
    if _WRITER in message:
        return f"A checkpoint cannot be written; the disk may be full. {_RESUME}"
    if isinstance(error, OSError | SafetensorError) or _WORKER in message:
        return f"{message}. {_RESUME}"
    return None
