import importlib.metadata
import json

import numpy as np
import pytest
from datasets import Dataset

from evaluation.metrics.compute import compute_metrics
from evaluation.reporting.metrics_json import build_report, format_report, main_scores
from modeling import Task

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0)
GENDER = Task("gender", "classification", "gender", labels=("female", "male"))
PROTOCOL = {
    "protocol": "paper",
    "description": "75/15/10 by chance",
    "seed": 7,
    "notes": ["alpha: the publisher's partition is kept (test)", "beta: too few sad clips"],
    "family": "paper",
    "corpus": None,
}


@pytest.fixture
def metrics():
    """1,200 clips of alpha, all of them right, and five of beta, of which the head knows four and gets two."""
    truth = [*("angry", "happy", "sad") * 400, "sad", "sad", "sad", "happy", "proud"]
    predicted = [*range(3)] * 400 + [2, 2, 0, 0, 0]
    clips = Dataset.from_dict(
        {
            "emotion": truth,
            "f0_mean": [None] * 1202 + [150.0, 200.0, 250.0],
            "gender": [None] * 1205,
            "corpus": ["alpha"] * 1200 + ["beta"] * 5,
            "locale": ["de-DE"] * 1200 + ["pl-PL"] * 5,
            "speaker": [None] * 1205,
            "duration_s": [2.0] * 1205,
            "style": ["acted"] * 1205,
        }
    )
    logits = {
        "emotion": np.eye(3)[predicted],
        "f0_mean": np.full((1205, 1), 0.4),  # 200 Hz
        "gender": np.zeros((1205, 2)),
    }
    return compute_metrics(clips, logits, [EMOTION, PITCH, GENDER])


@pytest.fixture
def report(metrics):
    return build_report(
        metrics, "emotion", checkpoint="demo", split="test", protocol=PROTOCOL, num_clips_seen_in_training=0, seed=3
    )


def line(text, start):
    """The one line of a text that starts so, its words."""
    (found,) = [line for line in text.splitlines() if line.startswith(start)]
    return found.removeprefix(start).split()


def test_a_report_says_what_was_measured_on_what_with_what(report, metrics):
    assert (report["checkpoint"], report["split"], report["main_task"]) == ("demo", "test", "emotion")
    assert report["protocol"] == PROTOCOL
    assert report["versions"]["torch"] == importlib.metadata.version("torch")
    assert {"transformers", "datasets", "evaluate", "accelerate", "scikit-learn"} <= report["versions"].keys()
    assert report["seed"] == 3
    assert report["tasks"] == metrics


def test_a_report_is_json(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize(("heard", "said"), [(0, None), (3, "WARNING: 3 of these clips"), (None, "is not known")])
def test_the_text_says_whether_the_clips_were_trained_on(report, heard, said):
    text = format_report({**report, "num_clips_seen_in_training": heard})
    if said:
        assert said in text
    else:
        assert "WARNING" not in text
        assert "known" not in text


def test_the_text_says_what_a_reader_must_know(report):
    text = format_report(report)
    assert text.splitlines()[0] == "demo: test split, protocol paper (seed 7):"
    for sentence in (PROTOCOL["description"], *PROTOCOL["notes"]):
        assert f"  {sentence}." in text.splitlines()


def test_the_text_shows_each_corpus_and_their_mean(report):
    text = format_report(report)
    beta, mean = report["tasks"]["emotion"]["corpora"]["beta"], report["tasks"]["emotion"]["mean_over_corpora"]
    assert beta["weighted_f1_ci"] is None
    assert line(text, "alpha ") == ["1.000", "1.000–1.000", "1.000", "1.000", "1.000", "1.000", "1,200"]
    # Of sad, 3 of 5 clips: recall 2/3, precision 1, F1 0.8; of the two other classes 0.
    assert line(text, "beta ") == ["0.480", "–", "0.400", "0.600", "0.267", "0.222", "5"]
    assert beta["ci_reason"] in text
    low, high = mean["weighted_f1_ci"]
    assert line(text, "mean over corpora ") == [
        "0.740",
        f"{low:.3f}–{high:.3f}",
        "0.700",
        "0.800",
        "0.633",
        "0.611",
        "1,205",
    ]
    assert "1 clips are 'proud', which the model was not trained on; each counts as an error." in text


def test_the_text_shows_each_locale(report):
    text = format_report(report)
    assert line(text, "de-DE") == ["1.000", "1.000", "1.000", "1,200", "alpha"]
    assert line(text, "pl-PL") == ["0.480", "0.400", "0.600", "5", "beta"]


def test_the_text_shows_each_head(report):
    text = format_report(report)
    accuracy = f"{1202 / 1205:.3f}"
    assert line(text, "emotion  ")[2:4] == ["accuracy", accuracy]
    assert line(text, "emotion  ")[-2:] == ["(1,205", "clips)"]
    pitch = " ".join(line(text, "f0_mean"))
    assert pitch == "MAE 33.3 Hz R² 0.000 Pearson – CCC 0.000 (3 clips)"
    assert " ".join(line(text, "gender")) == "no clip of this split has a label for it"


def test_the_text_compares_with_the_baseline(report, metrics):
    assert "baseline" not in format_report(report)
    baseline = {**metrics["emotion"], "mean_over_corpora": {"weighted_f1": 0.123}}
    last = format_report({**report, "baseline": baseline}).splitlines()[-1]
    assert last.startswith("emotion F1, mean over corpora: model 0.740, baseline")
    assert last.endswith("0.123")


def test_a_regression_can_be_the_main_task(metrics):
    report = build_report(
        metrics, "f0_mean", checkpoint="demo", split="test", protocol=PROTOCOL, num_clips_seen_in_training=0
    )
    text = format_report(report)
    assert "by corpus" not in text
    assert line(text, "f0_mean")[:3] == ["MAE", "33.3", "Hz"]


def test_a_main_task_without_labels_is_said(metrics):
    text = format_report(
        build_report(
            metrics, "gender", checkpoint="demo", split="test", protocol=PROTOCOL, num_clips_seen_in_training=0
        )
    )
    assert "by corpus" not in text
    assert " ".join(line(text, "gender")) == "no clip of this split has a label for it"


def test_scores_for_the_log_are_the_means_over_corpora(metrics):
    scores = main_scores([EMOTION, PITCH, GENDER], metrics)
    assert scores["emotion_weighted_f1"] == metrics["emotion"]["mean_over_corpora"]["weighted_f1"]
    assert scores["f0_mean_mae"] == pytest.approx(100 / 3, rel=1e-5)
    assert all(isinstance(value, float) for value in scores.values())
    assert "f0_mean_pearson" not in scores  # open, because the predictions are constant
    assert not [name for name in scores if name.startswith("gender") or "clips" in name or name.endswith("_ci")]
