import pytest
from transformers import AutoConfig

from modeling import PannsMultiTaskSERConfig, Task, Wav2Vec2MultiTaskSERConfig
from tests.conftest import TASKS, tiny_config


def test_a_checkpoint_explains_itself(tmp_path):
    tiny_config(max_duration_s=4.0, padding="paper").save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is Wav2Vec2MultiTaskSERConfig
    assert config.get_tasks() == TASKS
    assert (config.max_duration_s, config.padding) == (4.0, "paper")
    assert config.id2label == {0: "angry", 1: "happy", 2: "sad"}
    assert config.label2id == {"angry": 0, "happy": 1, "sad": 2}


def test_emotion_is_the_main_task_wherever_it_stands():
    assert tiny_config(tasks=TASKS[::-1]).main_task.name == "emotion"


def test_without_emotion_the_first_task_is_the_main_one():
    config = tiny_config(tasks=TASKS[1:])
    assert config.main_task.name == "gender"
    assert config.id2label == {0: "female", 1: "male"}
    assert tiny_config(tasks=TASKS[2:]).problem_type == "regression"


def test_tasks_can_be_replaced():
    config = tiny_config()
    config.set_tasks([Task("emotion", "classification", "emotion", labels=("calm", "tense"))])
    assert config.num_labels == 2
    assert config.id2label == {0: "calm", 1: "tense"}


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ({"add_adapter": True}, "add_adapter"),
        ({"padding": "zeros"}, "padding .*'zeros'"),
        ({"max_duration_s": 0.0}, r"max_duration_s .*0\.0"),
    ],
)
def test_invalid_fields_of_wav2vec2_are_rejected(field, named):
    with pytest.raises(ValueError, match=named):
        tiny_config(**field)


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ({"sampling_rate": 8_000}, "sampling_rate .*8000"),
        ({"channels": [4, 4, 4]}, r"channels .*\[4, 4, 4\]"),
        ({"fmax": 9_000}, "fmax .*9000"),
        ({"max_duration_s": 0.3}, r"max_duration_s 0\.3 .*31"),
        ({"mel_bins": 16}, "mel_bins .*16"),
        ({"max_duration_s": 0}, "max_duration_s .*0"),
    ],
)
def test_invalid_fields_of_cnn14_are_rejected(field, named):
    with pytest.raises(ValueError, match=named):
        PannsMultiTaskSERConfig(**field)


def test_a_cnn14_explains_itself(tmp_path):
    tasks = [task.to_dict() for task in TASKS]
    PannsMultiTaskSERConfig(tasks=tasks, channels=(4, 4, 4, 4, 4, 8), max_duration_s=2.5).save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is PannsMultiTaskSERConfig
    assert config.get_tasks() == TASKS
    assert (config.hidden_size, config.max_duration_s) == (8, 2.5)
    assert config.id2label == {0: "angry", 1: "happy", 2: "sad"}
