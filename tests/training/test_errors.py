import pytest
import torch
from safetensors import SafetensorError

from evaluation.metrics.compute import DivergedError
from training.errors import describe_failure

RESUME = "--resume_from_checkpoint latest"


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (DivergedError("The loss is not finite."), ["The loss is not finite."]),
        (OSError(28, "No space left on device"), ["[Errno 28] No space left on device", RESUME]),
        (SafetensorError("I/O error: No space left on device"), ["No space left on device", RESUME]),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), ["pid 7", "Killed", RESUME]),
    ],
)
def test_an_expected_failure_is_described(error, parts):
    message = describe_failure(error)
    assert [part for part in parts if part not in message] == []
    assert "\n" not in message


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Caught ValueError in DataLoader worker process 0.\nOriginal Traceback"),
        torch.OutOfMemoryError("CUDA out of memory"),
        ValueError("a bug"),
    ],
)
def test_a_bug_is_not_described(error):
    assert describe_failure(error) is None


def test_a_file_that_torch_cannot_write_is_an_expected_failure():
    with pytest.raises(RuntimeError) as caught:
        torch.save(torch.zeros(100_000), "/dev/full")
    assert RESUME in describe_failure(caught.value)
