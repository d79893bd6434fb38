import pytest
from transformers import TrainerState

from tests.training.conftest import job
from training.best import best_log_entry, describe_best
from training.run import train

METRIC = "emotion_weighted_f1"


@pytest.fixture
def state() -> TrainerState:
    lines = [{"step": step, "epoch": step / 2, f"eval_{METRIC}": step / 10} for step in (2, 4)]
    return TrainerState(log_history=[{"step": 2, "loss": 1.0}, *lines], best_model_checkpoint="run/checkpoint-2")


def test_the_best_epoch_is_described_with_its_value(state):
    assert best_log_entry(state, METRIC)["epoch"] == 1
    description = describe_best(state, METRIC, 2)
    assert [part in description for part in ("epoch 1 of 2", METRIC, "0.2000")] == [True] * 3


@pytest.mark.parametrize("metric", [None, "gender_weighted_f1"])
def test_without_a_choice_no_evaluation_is_the_best(state, metric):
    assert best_log_entry(state, metric) is None
    assert METRIC not in describe_best(state, metric, 2)


@pytest.mark.slow
def test_the_metric_that_chooses_is_logged_after_each_epoch_and_at_the_end(arguments, caplog, capsys):
    train(job([*arguments, "--num_train_epochs", "2", "--calibrate", "false", "--tasks", "emotion"]))
    messages = [record.getMessage() for record in caplog.records if METRIC in record.getMessage()]
    assert [message.partition(":")[0] for message in messages] == ["Epoch 1", "Epoch 2"]
    assert METRIC in capsys.readouterr().out.partition("emotion by corpus")[0]
