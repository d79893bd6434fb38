"""A queue of trainings that take no time; test_sweep.py and test_cross_validation.py have real ones."""

import json
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState

from evaluation.metrics.compute import DivergedError
from training.queue import Outcome, TrainingQueue


class Instant(TrainingQueue):
    """Trainings whose value is the length of their name; `bad` diverges."""

    def __init__(self, folder, names=("a", "bb"), settings=None):
        self.trained = []
        super().__init__(
            names,
            SimpleNamespace(process_index=0, greater_is_better=True),
            folder=folder / "queue",
            report_path=folder / "end.json",
            storage=None,
            settings={"settings": settings or {"rate": 1}},
        )

    def parameters(self, name):
        return {"size": len(name)}

    def train(self, name, callbacks=()):
        assert callbacks
        self.trained.append(name)
        if name == "bad":
            raise DivergedError("the loss is NaN")
        return Outcome(float(len(name)), {"epoch": 3})

    def write_result(self):
        ended = self.ended()
        report = {name: ended[name].value for name in self.names}
        self.report_path.write_text(json.dumps(report))
        return report

    def format_report(self, report):
        return f"values: {report}"


@pytest.mark.slow
def test_each_is_trained_once_and_then_the_result_is_written(tmp_path, capsys):
    queue = Instant(tmp_path)
    assert queue.run() == {"a": 1.0, "bb": 2.0}
    assert queue.trained == ["a", "bb"]
    assert "values: {'a': 1.0, 'bb': 2.0}" in capsys.readouterr().out
    again = Instant(tmp_path)
    assert again.run() == {"a": 1.0, "bb": 2.0}
    assert again.trained == []
    assert [trial.params for trial in queue.study.get_trials()] == [{"size": 1}, {"size": 2}, {}]
    assert queue.study.get_trials()[0].user_attrs["epoch"] == 3


@pytest.mark.slow
def test_a_training_without_a_result_has_its_reason_and_is_not_repeated(tmp_path):
    queue = Instant(tmp_path, ("bad", "good"))
    assert queue.run() == {"bad": None, "good": 4.0}
    assert queue.trained == ["bad", "good"]
    trial = queue.ended()["bad"]
    assert (trial.state, trial.user_attrs["reason"]) == (TrialState.FAIL, "the loss is NaN")


def test_other_settings_are_refused_with_both_values(tmp_path):
    Instant(tmp_path)
    with pytest.raises(ValueError, match=r"rate .*1.* 2"):
        Instant(tmp_path, settings={"rate": 2})


@pytest.mark.slow
def test_an_error_frees_the_training(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    queue = Instant(tmp_path)
    monkeypatch.setattr(queue, "train", fail)
    with pytest.raises(RuntimeError, match="bug"):
        queue.run()
    assert Instant(tmp_path).run() == {"a": 1.0, "bb": 2.0}
