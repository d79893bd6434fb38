import subprocess
import sys

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from tests.conftest import ROOT, TINY

pytestmark = pytest.mark.slow


def test_the_command_writes_what_evaluate_reads(prepared, tmp_path):
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path / "encoder")
    command = [sys.executable, "-m", "evaluation.probe", str(tmp_path / "encoder"), "--layers", "1"]
    command += ["--data", str(prepared), "--protocol", "folds:2", "--output", str(tmp_path / "probe.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "96 clips" in done.stdout
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode != 0
    assert "probe.csv" in again.stderr
