import numpy as np
import pytest

from evaluation.metrics.baseline import support_vector_machine
from evaluation.other_systems import evaluate_other_system, read_other_system
from evaluation.probe.classify import fold_predictions, linear_probe, write_probe
from preprocessing.prepared.table import load_table


@pytest.mark.parametrize("classifier", [linear_probe(), support_vector_machine()], ids=["probe", "svm"])
@pytest.mark.parametrize("protocol", ["speaker", "folds:2"])
def test_features_that_give_the_label_away_score_1(prepared, tmp_path, protocol, classifier):
    clips = load_table(prepared)
    labels = np.array(clips["emotion"][:])
    features = (labels[:, None] == np.array(["angry", "happy", "sad"])).astype(np.float32)
    predictions = fold_predictions(prepared, protocol, clips, features, classifier)
    write_probe(predictions, tmp_path / "probe.csv")
    found = evaluate_other_system(read_other_system(f"probe={tmp_path / 'probe.csv'}", prepared, protocol))
    assert found.main["mean_over_corpora"]["weighted_f1"] == pytest.approx(1)
    assert predictions.drop(columns="id").sum(axis=1).to_numpy() == pytest.approx(1)


def test_features_of_speakers_alone_are_of_no_use_for_other_speakers(prepared):
    clips = load_table(prepared)
    speakers = np.array([f"{corpus}/{name}" for corpus, name in zip(clips["corpus"], clips["speaker"], strict=True)])
    features = (speakers[:, None] == np.unique(speakers)).astype(np.float32)
    predictions = fold_predictions(prepared, "folds:2", clips, features, linear_probe()).drop(columns="id")
    assert predictions.nunique().max() <= 2  # one prediction for each fold
