import re
import shutil

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from common.checkpoint import load_checkpoint, load_config
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


def test_code_in_the_folder_of_a_checkpoint_is_not_run(broken):
    for file in broken.glob("*.py"):
        file.write_text("raise RuntimeError('ran')")
    load_checkpoint(broken)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "preprocessor_config.json"])
@pytest.mark.parametrize("content", [None, "{", "not what it should be"])
def test_what_is_broken_or_missing_is_refused_with_the_reason(broken, file, content):
    (broken / file).unlink()
    if content is not None:
        (broken / file).write_text(content)
    with pytest.raises(ValueError, match=r"config\.json|header|preprocessor|model\.safetensors") as error:
        load_checkpoint(broken)
    assert "\n" not in str(error.value)


def test_another_architecture_is_named(tmp_path):
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=rf"{re.escape(str(tmp_path))}.*'wav2vec2'"):
        load_checkpoint(tmp_path)


def test_no_code_of_untrusted_checkpoints_runs(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"model_type": "other", "auto_map": {"AutoConfig": "code.Config"}}')
    (tmp_path / "code.py").write_text("raise RuntimeError('ran')")
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        load_checkpoint(tmp_path)
