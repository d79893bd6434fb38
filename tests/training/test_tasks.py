import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from common.checkpoint import load_config
from evaluation.reporting.console import format_report
from modeling import Task
from preprocessing.corpora.scan import Source, UserAudio, scan
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.run import train
from training.tasks import KINDS, PAPER_COLUMNS, fit_tasks, kind_of

COLUMNS = {
    "emotion": ["sad"] * 6 + ["angry"] * 3 + ["bored"] * 1 + [None] * 2,
    "gender": ["male"] * 6 + ["female"] * 6,
    "locale": ["pl-PL"] * 4 + ["de-DE"] * 4 + ["xx-XX"] * 4,
    "f0_mean": [100.0, 200.0, None, 300.0] + [200.0] * 8,
    "rating": [1.0, 2.0, 3.0] * 4,
    "empty": [None] * 12,
    "constant": ["same"] * 12,
}


@pytest.fixture(scope="module")
def clips() -> Dataset:
    return Dataset.from_dict(COLUMNS)


def test_labels_come_in_the_order_of_the_project_and_beyond_it_alphabetically(clips):
    emotion, gender, language = fit_tasks(["emotion", "gender", "language"], {}, clips)
    assert emotion.labels == ("angry", "sad", "bored")
    assert gender.labels == ("female", "male")
    assert language.labels == ("de-DE", "pl-PL", "xx-XX")
    assert language.column == "locale"


def test_a_class_weighs_the_inverse_of_its_share_and_a_clip_one_on_average(clips):
    (task,) = fit_tasks(["emotion"], {}, clips)
    weights = dict(zip(task.labels, task.class_weights, strict=True))
    assert weights["angry"] / weights["sad"] == pytest.approx(6 / 3)
    assert weights["bored"] / weights["sad"] == pytest.approx(6 / 1)
    assert np.mean([weights[label] for label in COLUMNS["emotion"] if label]) == pytest.approx(1)


def test_a_number_is_standardised_over_the_clips_that_have_one(clips):
    (task,) = fit_tasks(["f0_mean"], {"f0_mean": 0.5}, clips)
    values = [value for value in COLUMNS["f0_mean"] if value is not None]
    assert (task.mean, task.std, task.unit, task.weight) == (np.mean(values), np.std(values), "Hz", 0.5)


def test_a_column_of_numbers_can_hold_classes(clips):
    regression, classes = (fit_tasks([name], {}, clips)[0] for name in ("rating", "rating:classification"))
    assert not regression.is_classification
    assert classes.labels == ("1.0", "2.0", "3.0")
    assert classes.encode(2.0) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("valence", "'valence'"),
        ("empty", "empty"),
        ("constant", "'same'.*'constant'"),
        ("gender:regression", "'gender'"),
        ("gender:concordance", "concordance.*'gender'"),
        ("gender:guess", "'guess'"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(clips, name, message):
    with pytest.raises(ValueError, match=message):
        fit_tasks([name], {}, clips)


def test_a_task_without_a_target_is_skipped_with_a_warning(clips, caplog):
    assert [task.name for task in fit_tasks(["empty", "gender"], {}, clips)] == ["gender"]
    assert "Task empty" in caplog.text


def test_the_eight_tasks_of_the_paper_fit_prepared_clips(splits):
    tasks = fit_tasks(list(PAPER_COLUMNS), {}, splits["train"])
    assert [task.name for task in tasks] == list(PAPER_COLUMNS)
    assert sum(task.is_classification for task in tasks) == 3
    assert [task.unit for task in tasks[3:]] == ["Hz", "Hz", "FS", "FS", ""]


def test_normalized_energy_is_a_task_by_its_name(splits):
    energy, normalized = fit_tasks(["energy_mean", "energy_mean_normalized"], {}, splits["train"])
    assert (energy.unit, normalized.unit) == ("FS", "SD")
    assert energy.mean < normalized.mean


def test_a_concordance_is_a_regression_by_another_loss(clips):
    default, l2, ccc = (fit_tasks([f"rating{kind}"], {}, clips)[0] for kind in ("", ":regression", ":concordance"))
    std = float(np.std(COLUMNS["rating"]))
    assert default == l2 == Task("rating", "regression", "rating", mean=2.0, std=std)
    assert ccc == Task("rating", "regression", "rating", mean=2.0, std=std, loss="ccc")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "soft"])
def test_a_task_can_be_asked_for_again_by_its_kind(clips, kind):
    (task,) = fit_tasks([f"rating:{kind}"], {}, clips)
    assert kind_of(task) == kind


VOTES = {
    "emotion": ["sad", "sad", "angry", "happy", None, None],
    "emotion:angry": [1.0, 0.0, 4.0, None, None, 0.0],
    "emotion:sad": [3.0, 2.0, 0.0, None, None, 0.0],
    "emotion:disgust": [0.0, 0.0, 0.0, None, 0.0, 0.0],
    "emotion:calm": [0.0, 0.0, 0.0, None, 1.0, 0.0],
}


def test_soft_labels_are_those_with_votes_or_a_clip_and_weigh_the_inverse_of_their_share():
    (task,) = fit_tasks(["emotion:soft"], {"emotion": 0.5}, Dataset.from_dict(VOTES))
    assert (task.labels, task.loss, task.weight) == (("angry", "happy", "sad", "calm"), "soft", 0.5)
    shares = np.array([1.25, 1.0, 1.75, 1.0])
    np.testing.assert_allclose(task.class_weights, shares.sum() / 4 / shares)
    assert kind_of(task) == "soft"


def test_soft_labels_of_one_vote_each_are_the_labels(clips):
    columns = {f"emotion:{label}": [float(label == value) for value in clips["emotion"]] for label in ("sad", "angry")}
    columns["emotion:bored"] = [None] * len(clips)  # where the label counts
    voted = Dataset.from_dict({"emotion": clips["emotion"][:], **columns})
    hard, soft = (fit_tasks([name], {}, voted)[0] for name in ("emotion", "emotion:soft"))
    assert replace(soft, loss="l2", class_weights=()) == replace(hard, class_weights=())
    np.testing.assert_allclose(soft.class_weights, hard.class_weights)


@pytest.mark.parametrize("name", ["emotion", "gender"])
def test_soft_labels_without_a_vote_are_refused_by_the_column(clips, name):
    without = Dataset.from_dict({**COLUMNS, "emotion:sad": [None] * 12})
    with pytest.raises(ValueError, match=f"{name}:LABEL"):
        fit_tasks([f"{name}:soft"], {}, without)


def test_style_is_a_task_by_its_name():
    clips = Dataset.from_dict({"style": ["natural", "acted", None, "acted"]})
    (task,) = fit_tasks(["style"], {}, clips)
    assert task == Task("style", "classification", "style", labels=("acted", "natural"), class_weights=(0.75, 1.5))


@pytest.fixture(scope="module")
def styled(user_table, tmp_path_factory):
    """The clips of `alpha`, acted or natural by turns, with their valence."""
    table = pd.read_csv(user_table).query("corpus == 'alpha'").iloc[:32]
    table["style"] = ["acted", "acted", "natural"] * 10 + ["acted"] * 2
    path = user_table.with_name("styled.csv")
    table.to_csv(path, index=False)
    output = tmp_path_factory.mktemp("styled")
    prepare(scan([Source("table", path)], user_audio=UserAudio(columns={"valence": "valence"})), output, num_proc=1)
    return output


@pytest.fixture(scope="module")
def voted(user_table, tmp_path_factory):
    """The clips of both corpora, with votes for those of `alpha` alone: three of four for the label."""
    table = pd.read_csv(user_table).iloc[:72]
    for name, label in (("joy", "happy"), ("anger", "angry"), ("sad", "sad")):
        votes = [3 if emotion == label else int(label == "angry") for emotion in table["emotion"]]
        table[f"votes_{name}"] = np.where(table["corpus"] == "alpha", votes, None)
    path = user_table.with_name("voted.csv")
    table.to_csv(path, index=False)
    output = tmp_path_factory.mktemp("voted")
    columns = {f"emotion:{name}": f"votes_{name}" for name in ("joy", "anger", "sad")}
    prepare(scan([Source("table", path)], user_audio=UserAudio(columns=columns)), output, num_proc=1)
    return output


@pytest.mark.slow
def test_soft_labels_are_learned_evaluated_and_learned_on(voted, backbone_config, tmp_path, caplog):
    arguments = [
        *("--data", str(voted), "--num_train_epochs", "1", "--report_to", "none", "--dataloader_num_workers", "0"),
        *("--disable_tqdm", "true", "--freeze", "none"),
    ]
    first = tmp_path / "first"
    start = ["--tasks", "gender", "emotion:soft", "--config_name", str(backbone_config), "--output_dir", str(first)]
    report = train(prepare_job(*parse_args([*arguments, *start])))
    emotion = report["tasks"]["emotion"]
    table = load_prepared(voted, "paper")["test"]
    of_alpha = sum(corpus == "alpha" for corpus in table["corpus"][:])
    assert emotion["clips"] == len(table)
    assert emotion["distribution"]["clips_without_votes"] == len(table) - of_alpha > 0
    assert emotion["distribution"]["pooled"]["clips"] == of_alpha
    score = f"{emotion['distribution']['pooled']['jensen_shannon']:.3f}"
    assert score in (first / "report.md").read_text()
    assert score in format_report(report)
    assert {record.args[3] for record in caplog.records if "votes" in record.msg} == {"train", "validation", "test"}
    soft = load_config(str(first)).get_tasks()[1]
    assert (soft.labels, soft.loss) == (("angry", "happy", "sad"), "soft")
    assert "emotion:soft" in json.loads((first / "resume_settings.json").read_text())["tasks"]

    onward = [*arguments, "--model_name_or_path", str(first), "--output_dir", str(tmp_path / "onward")]
    assert prepare_job(*parse_args(onward)).tasks[1] == replace(soft, temperature=1.0)
    (hard,) = prepare_job(*parse_args([*onward, "--tasks", "emotion:classification"])).tasks
    assert (hard.labels, hard.loss) == (soft.labels, "l2")


@pytest.mark.slow
def test_style_and_valence_are_learned_by_their_names_and_learned_on_as_before(styled, backbone_config, tmp_path):
    arguments = [
        *("--data", str(styled), "--num_train_epochs", "1", "--report_to", "none", "--dataloader_num_workers", "0"),
        *("--disable_tqdm", "true", "--freeze", "none"),
    ]
    tasks = ["--tasks", "style", "valence:concordance", "f0_mean"]
    first = tmp_path / "first"
    report = train(
        prepare_job(
            *parse_args([*arguments, *tasks, "--config_name", str(backbone_config), "--output_dir", str(first)])
        )
    )
    assert (report["main_task"], report["tasks"]["style"]["kind"]) == ("style", "classification")
    assert math.isfinite(report["tasks"]["valence"]["pooled"]["ccc"])
    style, valence, f0 = load_config(str(first)).get_tasks()
    assert style.labels == ("acted", "natural")
    assert (valence.kind, valence.loss, f0.loss) == ("regression", "ccc", "l2")

    onward = [*arguments, "--model_name_or_path", str(first), "--output_dir", str(tmp_path / "onward")]
    style = replace(style, temperature=1.0)  # which is fitted again
    assert prepare_job(*parse_args(onward)).tasks == (style, valence, f0)
    assert prepare_job(*parse_args([*onward, "--tasks", "style", "valence"])).tasks == (style, valence)
    (other,) = prepare_job(*parse_args([*onward, "--tasks", "valence:regression"])).tasks
    assert (other.loss, other.mean, other.std) == ("l2", valence.mean, valence.std)
