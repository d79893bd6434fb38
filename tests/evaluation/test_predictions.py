import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from evaluation.hf_evaluate import ClassificationMetric
from evaluation.predictions import write_predictions
from modeling import Task

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "sad"))
PITCH = Task("f0_mean", "regression", "f0_mean", mean=180.0, std=50.0)


def test_each_clip_has_a_row_with_its_labels_and_predictions(tmp_path):
    clips = Dataset.from_dict(
        {
            "id": ["a/1.wav", "a/2.wav"],
            "corpus": ["a", "a"],
            "locale": ["de-DE", None],
            "speaker": ["x", "y"],
            "emotion": ["sad", None],
            "f0_mean": [None, 200.0],
        }
    )
    logits = {"emotion": np.array([[0.0, np.log(3)], [2.0, 0.0]]), "f0_mean": np.array([[0.0], [1.0]])}
    write_predictions(clips, logits, [EMOTION, PITCH], tmp_path / "new" / "predictions.csv")
    table = pd.read_csv(tmp_path / "new" / "predictions.csv")
    assert table["id"].tolist() == ["a/1.wav", "a/2.wav"]
    assert table["emotion"].isna().tolist() == [False, True]
    assert table["emotion_predicted"].tolist() == ["sad", "angry"]
    assert table["emotion_confidence"].tolist() == pytest.approx([0.75, 0.880797])
    assert table["f0_mean_predicted"].tolist() == [180.0, 230.0]
    assert table["f0_mean"].isna().tolist() == [True, False]
    labeled = table.dropna(subset=["emotion"])
    metric = ClassificationMetric(cache_dir=str(tmp_path), keep_in_memory=True)
    found = metric.compute(references=labeled["emotion"], predictions=labeled["emotion_predicted"])
    assert found["weighted_f1"] == 1
