import json

import numpy as np
import pandas as pd
import pytest

from evaluation.other_systems import evaluate_other_system, read_other_system
from evaluation.run import evaluate_checkpoints
from preprocessing.prepared.load import load_prepared, load_tested


@pytest.fixture
def table(prepared):
    """The true labels of the test clips of `speaker`."""
    clips = load_prepared(prepared, "speaker")["test"]
    return pd.DataFrame({"id": clips["id"][:], "label": clips["emotion"][:]})


def read(table, prepared, path, protocol="speaker"):
    table.to_csv(path, index=False)
    return read_other_system(f"theirs={path}", prepared, protocol)


def test_a_perfect_system_scores_1(table, prepared, tmp_path):
    found = evaluate_other_system(read(table.sample(frac=1, random_state=0), prepared, tmp_path / "x.csv"))
    assert found.main["mean_over_corpora"]["weighted_f1"] == pytest.approx(1)
    assert "calibration" not in found.main
    assert (found.report["row"], found.report["num_foreign_ids"]) == ("theirs", 0)


def test_scores_are_evaluated_by_the_highest(table, prepared, tmp_path):
    scores = pd.get_dummies(table["label"]).astype(float) * 3 - 1
    shifted = scores.assign(id=table["id"])
    recall = evaluate_other_system(read(shifted, prepared, tmp_path / "x.csv")).main["pooled"]["weighted_recall"]
    assert recall == pytest.approx(1)
    shifted.loc[0, list(scores.columns)] = np.roll(scores.iloc[0], 1)
    recall = evaluate_other_system(read(shifted, prepared, tmp_path / "y.csv")).main["pooled"]["weighted_recall"]
    assert recall == pytest.approx(1 - 1 / len(table))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda table: table.iloc[2:], "2 clips"),
        (lambda table: pd.concat([table, table.iloc[:3]]), "3 ids"),
        (lambda table: table.assign(label="anger"), "'anger'"),
        (lambda table: table.assign(label=""), "''"),
        (lambda table: table.rename(columns={"id": "clip"}), "'clip', 'label'"),
        (lambda table: table.drop(columns="label"), "'label'"),
        (lambda table: table.drop(columns="label").assign(sad="1", angry="x"), r"\b19 clips"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_reason(table, prepared, tmp_path, change, named):
    with pytest.raises(ValueError, match=named) as error:
        read(change(table), prepared, tmp_path / "x.csv")
    assert "x.csv" in str(error.value)


def test_ids_of_other_clips_are_counted_and_those_of_other_splits_are_not(table, prepared, tmp_path):
    others = load_prepared(prepared, "speaker")["train"]["id"][:5]
    more = pd.DataFrame({"id": [*others, "elsewhere/1.wav", "elsewhere/2.wav"], "label": "sad"})
    assert read(pd.concat([table, more]), prepared, tmp_path / "x.csv").num_foreign == 2


@pytest.mark.parametrize("given", ["x.csv", "=x.csv", "theirs="])
def test_what_is_not_a_name_and_a_file_is_refused(prepared, given):
    with pytest.raises(ValueError, match="NAME=FILE"):
        read_other_system(given, prepared, "speaker")


def test_a_file_that_is_not_a_table_is_refused(prepared, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"")
    for name in ("x.csv", "missing.csv"):
        with pytest.raises(ValueError, match=name):
            read_other_system(f"theirs={tmp_path / name}", prepared, "speaker")


@pytest.mark.slow
def test_it_is_compared_with_checkpoints_and_in_folds(checkpoint, table, prepared, tmp_path):
    table.to_csv(tmp_path / "x.csv", index=False)
    given = [f"theirs={tmp_path / 'x.csv'}"]
    evaluate_checkpoints(
        [str(checkpoint)], prepared, tmp_path / "out", protocol="speaker", predictions=given, reference="theirs"
    )
    report = json.loads((tmp_path / "out/report.json").read_text())
    ours, theirs = report["tables"]["table2"]
    assert (theirs["name"], theirs["ours"]["weighted_f1"]) == ("theirs", pytest.approx(1))
    assert ours["reference"] == 2
    assert ours["difference"]["difference"] < 0
    clips = load_tested(prepared, "folds:2")
    pd.DataFrame({"id": clips["id"][:], "label": clips["emotion"][:]}).to_csv(tmp_path / "all.csv", index=False)
    evaluate_checkpoints(
        [], prepared, tmp_path / "alone", protocol="folds:2", predictions=[f"x={tmp_path / 'all.csv'}"]
    )
    assert "folds:2" in (tmp_path / "alone/report.md").read_text()
    with pytest.raises(ValueError, match="--protocol"):
        evaluate_checkpoints([], prepared, tmp_path / "none", predictions=given)
