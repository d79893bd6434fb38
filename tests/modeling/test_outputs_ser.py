import json

import numpy as np
import pytest
import torch

from modeling import OutputOptions, format_outputs
from modeling.outputs_ser import restrict
from tests.conftest import TASKS

EMOTION = TASKS[0]
DECODED = {
    "emotion": torch.tensor([0.2, 0.5, 0.3]),  # angry, happy, sad
    "gender": torch.tensor([0.9, 0.1]),
    "f0_mean": torch.tensor(181.25),
}


def test_classes_come_by_their_score_and_numbers_with_their_unit():
    outputs = format_outputs(TASKS, EMOTION, DECODED)
    assert [entry["label"] for entry in outputs["emotion"]] == ["happy", "sad", "angry"]
    assert outputs["gender"] == [
        {"label": "female", "score": pytest.approx(0.9)},
        {"label": "male", "score": pytest.approx(0.1)},
    ]
    assert outputs["f0_mean"] == {"value": 181.25, "unit": "Hz"}
    assert outputs.keys() == {"emotion", "gender", "f0_mean"}
    assert json.loads(json.dumps(outputs, allow_nan=False)) == outputs


def test_top_k_is_of_each_head():
    outputs = format_outputs(TASKS, EMOTION, DECODED, OutputOptions(top_k=2))
    assert [len(outputs[name]) for name in ("emotion", "gender")] == [2, 2]


def test_a_choice_of_emotions_is_what_a_softmax_over_them_alone_would_be():
    outputs = format_outputs(TASKS, EMOTION, DECODED, OutputOptions(labels=["sad", "angry"]))
    assert outputs["emotion"] == [
        {"label": "sad", "score": pytest.approx(0.6)},
        {"label": "angry", "score": pytest.approx(0.4)},
    ]
    logits = torch.tensor([0.2, 0.5, 0.3]).log()
    masked = logits.masked_fill(torch.tensor([False, True, False]), -torch.inf).softmax(0)
    assert {e["label"]: e["score"] for e in outputs["emotion"]} == pytest.approx(
        {"angry": masked[0].item(), "sad": masked[2].item()}
    )
    assert len(outputs["gender"]) == 2


@pytest.mark.parametrize(("threshold", "uncertain"), [(0.4, False), (0.6, True)])
def test_below_the_threshold_it_is_uncertain(threshold, uncertain):
    assert format_outputs(TASKS, EMOTION, DECODED, OutputOptions(uncertain_below=threshold))["uncertain"] is uncertain


def test_the_threshold_is_of_what_can_be_chosen():
    options = OutputOptions(labels="happy", uncertain_below=0.99)
    outputs = format_outputs(TASKS, EMOTION, DECODED, options)
    assert outputs["emotion"] == [{"label": "happy", "score": 1.0}]
    assert outputs["uncertain"] is False


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"top_k": 0}, "top_k .*0"),
        ({"uncertain_below": 1.5}, r"uncertain_below .*1\.5"),
        ({"labels": ["sad", "happy", "sad"]}, "labels .*'sad'"),
        ({"labels": ["joy", "sad"]}, "'joy'.*emotion.*angry, happy, sad"),
    ],
)
def test_invalid_options_are_rejected(options, named):
    with pytest.raises(ValueError, match=named):
        OutputOptions(**options).check(EMOTION)


def test_what_can_occur_is_chosen_before_a_mean_is_taken():
    windows = np.array([[0.98, 0.01, 0.01], [0.0, 0.9, 0.1]])  # angry, happy, sad
    kept = restrict(windows, EMOTION.labels, ("happy", "sad"))
    assert kept == pytest.approx(np.array([[0.0, 0.5, 0.5], [0.0, 0.9, 0.1]]))
    assert restrict(windows, EMOTION.labels, ()) is windows


def test_classes_that_got_nothing_are_alike():
    decoded = {**DECODED, "emotion": torch.tensor([1.0, 0.0, 0.0])}
    outputs = format_outputs(TASKS, EMOTION, decoded, OutputOptions(labels=["happy", "sad"]))
    assert [entry["score"] for entry in outputs["emotion"]] == [0.5, 0.5]
