import shutil

import pytest


@pytest.fixture(scope="session")
def report(checkpoint, prepared, tmp_path_factory):
    from tests.support.checkpoints import evaluate  # which imports torch

    return evaluate(str(checkpoint), prepared, "paper", tmp_path_factory.mktemp("report"), baseline=True).report


@pytest.fixture
def broken(checkpoint, tmp_path):
    """A copy of the checkpoint to spoil."""
    return shutil.copytree(checkpoint, tmp_path / "broken")
