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
    ("field", "message"),
    [
        ({"feat_extract_norm": "group"}, "group-norm feature encoder"),
        ({"add_adapter": True}, "add_adapter"),
        ({"padding": "zeros"}, "'masked' or 'paper'"),
        ({"max_duration_s": 0.0}, "above 0"),
    ],
)
def test_refuses_what_cannot_work(field, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(**field)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"sampling_rate": 8_000}, "16000 or 32000 Hz, got sampling_rate 8000"),
        ({"channels": [4, 4, 4]}, "six blocks"),
        ({"fmax": 9_000}, "fmin < fmax"),
        ({"max_duration_s": 0.3}, "0.3 s give 31 frames"),
        ({"mel_bins": 16}, "mel_bins is 16"),
        ({"max_duration_s": 0}, "above 0"),
    ],
)
def test_refuses_what_cnn14_cannot_hear(field, message):
    with pytest.raises(ValueError, match=message):
        PannsMultiTaskSERConfig(**field)


def test_a_cnn14_explains_itself(tmp_path):
    tasks = [task.to_dict() for task in TASKS]
    PannsMultiTaskSERConfig(tasks=tasks, channels=(4, 4, 4, 4, 4, 8), max_duration_s=2.5).save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is PannsMultiTaskSERConfig
    assert config.get_tasks() == TASKS
    assert (config.hidden_size, config.max_duration_s) == (8, 2.5)
    assert config.id2label == {0: "angry", 1: "happy", 2: "sad"}
