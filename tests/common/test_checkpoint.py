import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from common.checkpoint import load_checkpoint, load_config, weight_files, weights_sha256
from modeling import Wav2Vec2ForMultiTaskSER
from tests.conftest import TINY


@pytest.fixture
def broken(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "broken")


def test_a_checkpoint_is_loaded_in_float32_and_ready_to_predict(tiny_model, feature_extractor, tmp_path):
    tiny_model.to(torch.bfloat16).save_pretrained(tmp_path)
    feature_extractor.save_pretrained(tmp_path)
    model, extractor = load_checkpoint(tmp_path)
    assert type(model) is Wav2Vec2ForMultiTaskSER
    assert (model.dtype, model.training) == (torch.float32, False)
    assert type(extractor) is Wav2Vec2FeatureExtractor
    assert load_config(tmp_path).get_tasks() == tiny_model.config.get_tasks()


def test_code_beside_a_checkpoint_is_not_run(broken):
    for file in broken.glob("*.py"):
        file.write_text("raise RuntimeError('ran')")
    load_checkpoint(broken)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "preprocessor_config.json"])
@pytest.mark.parametrize("content", [None, "{", "not what it should be"])
def test_what_is_broken_or_missing_is_refused_with_the_reason(broken, file, content):
    (broken / file).unlink()
    if content is not None:
        (broken / file).write_text(content)
    with pytest.raises(ValueError, match=r"broken is not a (complete )?checkpoint") as error:
        load_checkpoint(broken)
    assert "\n" not in str(error.value)


def test_another_architecture_is_named(tmp_path):
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a 'wav2vec2' checkpoint"):
        load_checkpoint(tmp_path)


def test_no_code_of_untrusted_checkpoints_runs(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"model_type": "other", "auto_map": {"AutoConfig": "code.Config"}}')
    (tmp_path / "code.py").write_text("raise RuntimeError('ran')")
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(ValueError, match="is not a checkpoint"):
        load_checkpoint(tmp_path)


def test_weights_are_identified_by_the_hash_of_their_file(broken):
    weights = broken / "model.safetensors"
    assert weight_files(broken) == [weights]
    assert weights_sha256(broken) == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert weights_sha256("team/ser") is None


def test_shards_are_identified_by_the_hash_of_all(tiny_model, tmp_path):
    tiny_model.save_pretrained(tmp_path, max_shard_size="10KB")
    (tmp_path / "model-00009-of-00009.safetensors").write_bytes(b"of another time")
    shards = sorted(tmp_path.glob("model-*.safetensors"))[:-1]
    assert weight_files(tmp_path) == shards
    assert len(shards) > 1
    together = b"".join(path.read_bytes() for path in shards)
    assert weights_sha256(tmp_path) == hashlib.sha256(together).hexdigest()


def test_the_identity_of_a_model_is_that_of_its_weights_wherever_they_are(checkpoint, tmp_path):
    copy = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    (copy / "metrics.json").write_text("{}")
    assert weights_sha256(copy) == weights_sha256(checkpoint)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert weights_sha256(copy) != weights_sha256(checkpoint)


def test_an_onnx_folder_is_identified_by_its_graphs(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"graph")
    (tmp_path / "model_int8.onnx").write_bytes(b" in 8 bits")
    assert weights_sha256(tmp_path) == hashlib.sha256(b"graph in 8 bits").hexdigest()
