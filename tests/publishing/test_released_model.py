"""The repository's own model: what is committed is what today's code exports, and it is the default."""

import filecmp
import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

from common.checkpoint import load_checkpoint
from common.checkpoint_files import weights_sha256
from common.checkpoint_name import DEFAULT_CHECKPOINT
from publishing.export import export_checkpoint
from tests.conftest import ROOT

MODEL = Path(DEFAULT_CHECKPOINT)
NAME = MODEL.relative_to(ROOT).as_posix()


def test_its_code_card_and_records_are_those_that_todays_code_exports(tmp_path):
    """Otherwise: `make release SOURCE=models/whisper-base-ser`."""
    files = export_checkpoint(MODEL, tmp_path / "export", NAME, float16=True)
    names = [path.relative_to(tmp_path / "export").as_posix() for path in files]
    committed = sorted(path.relative_to(MODEL).as_posix() for path in MODEL.rglob("*") if path.is_file())
    assert names == [name for name in committed if "__pycache__" not in name]
    by_transformers = {"config.json", "preprocessor_config.json"}  # whose version they name
    ours = [name for name in names if name not in by_transformers]
    assert filecmp.cmpfiles(MODEL, tmp_path / "export", ours, shallow=False)[1:] == ([], [])
    before, after = (json.loads((folder / "config.json").read_text()) for folder in (MODEL, tmp_path / "export"))
    assert {**before, "transformers_version": None} == {**after, "transformers_version": None}


def test_its_weights_are_small_and_its_figures_are_of_its_recipe():
    weights = MODEL / "model.safetensors"
    assert weights.stat().st_size <= 30_000_000
    with safe_open(weights, "np") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {np.dtype(np.float16)}  # noqa: SIM118
    metrics = json.loads((MODEL / "metrics.json").read_text())
    assert metrics["weights_sha256"] == weights_sha256(MODEL)
    assert len(metrics["tested"]) == 6
    assert metrics["num_speakers_seen_in_training"] == 0
    assert {"clean", "babble:10", "telephone"} <= set(metrics["conditions"])


def test_it_computes_in_float32():
    model, _ = load_checkpoint(DEFAULT_CHECKPOINT)
    assert {str(parameter.dtype) for parameter in model.parameters()} == {"torch.float32"}
