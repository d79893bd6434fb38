import hashlib
import json
import shutil

import pytest
import torch

from common.checkpoint import fingerprint, load_checkpoint, load_config, weight_files, weights_sha256


@pytest.fixture
def copy(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "copy")


def test_a_checkpoint_is_loaded_in_float32_ready_to_predict(checkpoint):
    model, feature_extractor = load_checkpoint(checkpoint)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert feature_extractor.sampling_rate == 16_000
    assert load_config(checkpoint).get_tasks() == model.config.get_tasks()


def test_a_folder_that_is_not_a_checkpoint_is_refused(tmp_path):
    for load in (load_config, load_checkpoint):
        with pytest.raises(ValueError, match=str(tmp_path)):
            load(str(tmp_path))


def test_a_checkpoint_of_another_architecture_is_refused(copy):
    (copy / "config.json").write_text('{"model_type": "wav2vec2"}')
    with pytest.raises(ValueError, match=r"copy .*'wav2vec2'"):
        load_checkpoint(copy)


def test_a_checkpoint_without_weights_is_refused(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=str(copy)):
        load_checkpoint(copy)


def test_the_identity_is_the_hash_of_the_weights(copy):
    path = copy / "model.safetensors"
    assert weight_files(copy) == [path]
    assert weights_sha256(copy) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights_sha256("team/model-on-the-hub") is None


def test_the_identity_of_shards_is_that_of_one_after_another(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.safetensors").write_text(name)
    weight_map = {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    assert [path.name for path in weight_files(tmp_path)] == ["a.safetensors", "b.safetensors"]
    assert weights_sha256(tmp_path) == hashlib.sha256(b"ab").hexdigest()
    index.write_text("[]")
    with pytest.raises(ValueError, match=str(index)):
        weight_files(tmp_path)


def test_the_fingerprint_changes_with_the_weights_and_the_configuration_alone(copy):
    before = fingerprint(str(copy))
    (copy / "README.md").write_text("a card")
    assert fingerprint(str(copy)) == before
    with (copy / "config.json").open("a") as file:
        file.write(" ")
    assert fingerprint(str(copy)) != before
