import json

import pytest

from common.checkpoint import load_checkpoint, load_config
from modeling.configuration_ser import SER_FORMAT


@pytest.fixture
def checkpoint(tiny_model, feature_extractor, tmp_path):
    tiny_model.save_pretrained(tmp_path / "run")
    feature_extractor.save_pretrained(tmp_path / "run")
    return tmp_path / "run"


def set_format(checkpoint, number) -> None:
    path = checkpoint / "config.json"
    config = json.loads(path.read_text())
    config["ser_format"] = number
    if number is None:
        del config["ser_format"]
    path.write_text(json.dumps(config))


def test_a_saved_checkpoint_has_the_current_format(checkpoint):
    assert json.loads((checkpoint / "config.json").read_text())["ser_format"] == SER_FORMAT
    assert load_config(checkpoint).ser_format == SER_FORMAT


@pytest.mark.parametrize(("number", "shown"), [(None, 1), (1, 1), (SER_FORMAT + 1, SER_FORMAT + 1)])
def test_another_format_is_refused_with_both_numbers_and_the_command(checkpoint, number, shown):
    set_format(checkpoint, number)
    for load in (load_config, load_checkpoint):
        with pytest.raises(ValueError, match=rf"\b{shown}\b.*\b{SER_FORMAT}\b.*python train\.py "):
            load(checkpoint)
    (checkpoint / "train_config.yaml").touch()
    with pytest.raises(ValueError, match="train_config") as error:
        load_config(checkpoint)
    assert f"--config {checkpoint / 'train_config.yaml'}" in str(error.value)


def test_a_backbone_needs_no_format(backbone_config):
    assert load_config(backbone_config.parent).model_type == "wav2vec2"


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(ValueError, match=str(tmp_path)):
        load_config(tmp_path)
