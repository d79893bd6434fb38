import pytest
import torch
from safetensors import SafetensorError

from evaluation.metrics.compute import DivergedError
from training.errors import describe_failure

AGAIN = "The same command goes on from the last checkpoint, a single training with --resume_from_checkpoint latest."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DivergedError("The loss is no number."), "The loss is no number."),
        (OSError(28, "No space left on device"), f"[Errno 28] No space left on device. {AGAIN}"),
        (SafetensorError("I/O error: No space left on device"), f"I/O error: No space left on device. {AGAIN}"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "),
            f"DataLoader worker (pid 7) is killed by signal: Killed. {AGAIN}",
        ),
        (RuntimeError("Caught ValueError in DataLoader worker process 0.\nOriginal Traceback"), None),
        (torch.OutOfMemoryError("CUDA out of memory"), None),
        (ValueError("a bug"), None),
    ],
)
def test_what_is_no_bug_is_a_sentence(error, sentence):
    assert describe_failure(error) == sentence


def test_a_file_that_torch_cannot_write_is_said():
    with pytest.raises(RuntimeError) as caught:
        torch.save(torch.zeros(100_000), "/dev/full")
    assert describe_failure(caught.value).startswith(
        "A checkpoint cannot be written: is the disk full? The same command"
    )
