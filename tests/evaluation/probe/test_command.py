import subprocess
import sys

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from evaluation.other_systems import evaluate_other_system, read_other_system
from tests.conftest import ROOT, TINY

pytestmark = pytest.mark.slow


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "evaluation.probe", *map(str, flags)], cwd=ROOT, capture_output=True, text=True
    )


def test_the_command_writes_what_evaluate_reads(prepared, tmp_path):
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path / "encoder")
    flags = [tmp_path / "encoder", "--layers", "1", "--data", prepared, "--protocol", "folds:2"]
    flags += ["--output", tmp_path / "probe.csv"]
    done = run(*flags)
    assert done.returncode == 0, done.stderr
    assert "96 clips" in done.stdout
    again = run(*flags)
    assert again.returncode != 0
    assert "probe.csv" in again.stderr


def test_egemaps_are_evaluated_with_other_systems_in_the_same_folds(prepared, tmp_path):
    pytest.importorskip("opensmile", reason="opensmile, of the extra egemaps, is not installed")
    output = tmp_path / "egemaps.csv"
    done = run("egemaps", "--data", prepared, "--protocol", "folds:2", "--output", output)
    assert done.returncode == 0, done.stderr
    assert "96 clips" in done.stdout
    assert "audEERING" in done.stderr
    found = evaluate_other_system(read_other_system(f"egemaps={output}", prepared, "folds:2"))
    assert found.main["clips"] == 96
    assert found.main["corpora"]["alpha"]["weighted_f1"] > 0.5  # the emotions of alpha differ in pitch; beta is noise


@pytest.mark.parametrize("flags", [["egemaps", "--layers", "1"], ["an/encoder"]])
def test_layers_belong_to_an_encoder(tmp_path, flags):
    done = run(*flags, "--data", tmp_path, "--protocol", "folds:2", "--output", tmp_path / "out.csv")
    assert done.returncode == 2
    assert "--layers" in done.stderr
