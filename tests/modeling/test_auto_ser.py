import pytest
from transformers import AutoConfig, AutoModelForAudioClassification, Wav2Vec2Config

from modeling import ARCHITECTURES
from modeling.auto_ser import architecture_of


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_found_by_its_configuration(name):
    assert architecture_of(ARCHITECTURES[name].config_class()) == name


@pytest.mark.parametrize("config", [Wav2Vec2Config(), None])
def test_other_configurations_have_no_architecture(config):
    assert architecture_of(config) is None


@pytest.mark.parametrize("model", ARCHITECTURES.values())
def test_the_auto_classes_include_every_architecture(model):
    assert type(AutoConfig.for_model(model.config_class.model_type)) is model.config_class
    assert AutoModelForAudioClassification._model_mapping[model.config_class] is model
