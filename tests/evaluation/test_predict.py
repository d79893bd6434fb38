import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import EvalPrediction

from evaluation.predict import in_order, longest_first, predict
from preprocessing.prepared.rows import ROW
from preprocessing.stored_audio import stored_waveform
from tests.conftest import TASKS


def prediction(rows):
    """What a Trainer returns for clips in this order: of the emotion head `row, 10 * row`, of the pitch head `-row`."""
    rows = np.array(rows)
    logits = {"emotion": np.stack([rows, 10.0 * rows], axis=1), "f0_mean": -rows[:, None].astype(float)}
    return EvalPrediction(predictions=logits, label_ids={ROW: rows, "emotion": np.zeros_like(rows)})


@pytest.fixture
def clips():
    return Dataset.from_dict({ROW: [12, 3, 7, 40]})


@pytest.mark.parametrize("rows", [[12, 3, 7, 40], [40, 7, 3, 12], [3, 12, 40, 7, 3, 12], [7, 7, 7, 40, 3, 12]], ids=str)
def test_shuffled_and_repeated_predictions_come_back_in_order(clips, rows):
    logits = in_order(prediction(rows), clips)
    assert logits["emotion"].tolist() == [[12, 120], [3, 30], [7, 70], [40, 400]]
    assert logits["f0_mean"].tolist() == [[-12], [-3], [-7], [-40]]


@pytest.mark.parametrize("rows", [[12, 3, 7], [12, 3, 7, 7], [12, 3, 7, 41], [12, 3, 7, 40, 41]], ids=str)
def test_a_missing_or_an_unexpected_clip_is_an_error(clips, rows):
    with pytest.raises(RuntimeError, match="of 4 clips"):
        in_order(prediction(rows), clips)


def test_the_longest_clips_come_first_and_all_of_them_remain():
    seconds = np.random.default_rng(0).integers(1, 6, size=200) / 2
    ordered = longest_first(Dataset.from_dict({"duration_s": seconds, ROW: range(200)}))
    assert ordered["duration_s"][:] == sorted(seconds, reverse=True)
    assert ordered[ROW][:] == sorted(range(200), key=lambda row: (-seconds[row], row))


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_each_clip_gets_the_models_own_output_in_any_batch(splits, tiny_model, feature_extractor, batch_size):
    clips = splits["test"].shuffle(seed=1)
    logits = predict(tiny_model, feature_extractor, clips, per_device_eval_batch_size=batch_size)
    assert logits.keys() == {task.name for task in TASKS}
    expected = {task.name: [] for task in TASKS}
    for row in clips:
        with torch.no_grad():
            alone = tiny_model.cpu().eval()(torch.from_numpy(stored_waveform(row))[None]).task_logits
        for name, values in alone.items():
            expected[name].append(values[0].tolist())
    assert len({str(values) for values in expected["emotion"]}) == len(clips)  # a wrong order would show
    for name, values in expected.items():
        assert logits[name] == pytest.approx(np.array(values), abs=1e-5)


def test_clips_without_labels_are_predicted_too(splits, tiny_model, feature_extractor):
    clips = splits["validation"]
    expected = predict(tiny_model, feature_extractor, clips)
    without = clips.map(lambda row: {"emotion": None, "gender": None, "f0_mean": None})
    logits = predict(tiny_model, feature_extractor, without)
    for name in ("emotion", "gender", "f0_mean"):
        assert logits[name] == pytest.approx(expected[name], abs=1e-6)
