import json
import shutil
from dataclasses import replace

import pytest
from huggingface_hub import constants

from common.training_record import read_training_record
from preprocessing.corpora import CORPORA
from preprocessing.corpora.own_arguments import stated_license
from tests.publishing import conftest as publishing
from tests.support.loopback_hub import File, Repository, serve
from tests.training.conftest import TASKS, job, start_from
from training.arguments.settings import ModelArguments
from training.record import training_record, write_training_record
from training.run import build_trainer
from training.start import describe_start


@pytest.fixture
def ready(words):
    return job(words)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with serve(tmp_path / "hub") as server:
        publishing.connect(monkeypatch, server)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield server
    assert server.unknown == []


def put(hub, repo_id, folder) -> str:
    """Puts the files of a folder on the Hub, in a second commit, which is returned."""
    repo = hub.repos.setdefault(("model", repo_id), Repository("model", repo_id, False))
    return repo.add("files", {path.name: File.of(path.read_bytes()) for path in folder.iterdir()}).sha


def save(ready, feature_extractor, folder):
    """A checkpoint of this project, which has been trained on nothing yet."""
    ready.model.save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


def facts_of(ready) -> dict:
    return training_record(ready, build_trainer(ready))


def test_the_facts_are_those_of_the_training(ready, splits, tmp_path):
    facts = facts_of(ready)
    assert facts.keys() == publishing.training_record().keys()  # which the tests of the card begin with
    corpora = {entry["corpus"]: entry for entry in facts["data"]}
    assert corpora.keys() == {"alpha", "beta"}
    assert sum(entry["clips"] for entry in facts["data"]) == len(splits["train"])
    assert sum(entry["hours"] for entry in facts["data"]) == pytest.approx(sum(splits["train"]["duration_s"]) / 3600)
    assert {name: corpora["alpha"][name] for name in publishing.OWN} == publishing.OWN
    assert facts["locales"] == ["de-DE", "pl-PL"]
    assert (facts["protocol"], facts["epochs"], facts["batch_size"], facts["learning_rate"]) == ("paper", 1, 32, 1e-4)
    assert (facts["start"], facts["base_model"]) == ("random weights", None)
    assert facts["parameters"]["all"] == facts["parameters"]["trained"] == ready.model.num_parameters()
    assert facts["hardware"]["device"].startswith("CPU")
    assert facts["seconds"] is None  # no step was made
    assert {"multilingual-multitask-ser", "commit"} <= facts["versions"].keys()
    write_training_record(ready, build_trainer(ready), tmp_path)
    text = (tmp_path / "training.json").read_text(encoding="utf-8")
    assert json.loads(text) == facts
    assert str(tmp_path.parent) not in text


def test_a_published_corpus_comes_with_its_license(ready):
    clips = ready.splits["train"]
    renamed = clips.remove_columns("corpus").add_column("corpus", ["ravdess"] * len(clips))
    ready.splits["train"] = renamed
    (entry,) = facts_of(ready)["data"]
    published = CORPORA["ravdess"]
    for name in ("title", "homepage", "license", "commercial", "redistributable"):
        assert entry[name] == getattr(published, name)
    assert entry["clips"] == len(clips)


def test_merged_classes_are_counted_by_the_authors_words(ready, tmp_path):
    clips = ready.splits["train"]
    words = ["boredom" if emotion == "sad" else emotion for emotion in clips["emotion"][:]]
    ready.splits["train"] = clips.remove_columns("raw_label").add_column("raw_label", words)
    merged = facts_of(ready)["merged_labels"]
    assert sum(classes["sad"]["boredom"] for classes in merged.values()) == words.count("boredom") > 0
    write_training_record(ready, build_trainer(ready), tmp_path)
    assert read_training_record(tmp_path / "training.json")["merged_labels"] == merged


def test_own_audio_comes_with_the_license_that_was_stated(ready, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report["settings"]["licenses"] = {"alpha": stated_license("CC BY-NC 4.0"), "beta": None}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    ready.data.data = str(folder)
    alpha, beta = facts_of(ready)["data"]
    assert (alpha["license"], alpha["commercial"], alpha["redistributable"]) == ("CC BY-NC 4.0", False, True)
    assert beta["license"] == "not stated"
    write_training_record(ready, build_trainer(ready), tmp_path)
    assert read_training_record(tmp_path / "training.json")["data"][0]["license"] == "CC BY-NC 4.0"


def test_a_backbone_from_the_hub_is_named_with_its_commit_and_a_local_one_is_not(hub, backbone, words):
    commit = put(hub, "org/base", backbone)
    facts = facts_of(job(start_from(words, "--model_name_or_path", "org/base")))
    assert (facts["start"], facts["base_model"], facts["revision"]) == ("hub", "org/base", commit)
    assert facts["before"] is None
    facts = facts_of(job(start_from(words, "--model_name_or_path", str(backbone))))
    assert (facts["start"], facts["base_model"], facts["before"]) == ("local checkpoint", None, None)
    assert str(backbone) not in json.dumps(facts)


@pytest.mark.parametrize("place", ["folder", "hub"])
def test_a_checkpoint_of_this_project_brings_its_own_facts(hub, ready, words, tmp_path, feature_extractor, place):
    first = save(ready, feature_extractor, tmp_path / "first")
    write_training_record(ready, build_trainer(ready), first)
    name = str(first) if place == "folder" else "team/first"
    commit = put(hub, "team/first", first)
    facts = facts_of(job(start_from(words, "--model_name_or_path", name, "--tasks", *TASKS)))
    assert facts["before"] == json.loads((first / "training.json").read_text())
    expected = ("local checkpoint", None, None) if place == "folder" else ("hub", "team/first", commit)
    assert (facts["start"], facts["base_model"], facts["revision"]) == expected


@pytest.mark.parametrize("place", ["folder", "hub"])
def test_a_checkpoint_without_facts_is_not_taken_for_a_backbone(
    hub, ready, words, tmp_path, feature_extractor, place, caplog
):
    first = save(ready, feature_extractor, tmp_path / "first")
    put(hub, "team/first", first)
    name = str(first) if place == "folder" else "team/first"
    onward = job(start_from(words, "--model_name_or_path", name, "--tasks", *TASKS))
    assert onward.start["before"] is None
    assert onward.clips_before is None  # and not: on nothing
    assert f"{name} has no training.json: what it was trained on is not known." in caplog.text


def test_clips_of_a_backbone_and_of_random_weights_are_none(ready, backbone, words):
    assert ready.clips_before == set()
    assert job(start_from(words, "--model_name_or_path", str(backbone))).clips_before == set()


@pytest.mark.parametrize(
    ("file", "start", "base_model"),
    [
        ("Cnn14_16k_mAP=0.438.pth", "published file", "Cnn14_16k_mAP=0.438.pth"),
        ("secret project.pth", "local checkpoint", None),
    ],
)
def test_of_files_only_those_of_the_publisher_are_named(tmp_path, file, start, base_model):
    (tmp_path / file).touch()
    facts = describe_start(ModelArguments(model_name_or_path=str(tmp_path / file), architecture="panns"))
    assert facts == {"start": start, "base_model": base_model, "revision": None, "before": None}


def test_time_is_that_of_a_training_in_one_go(ready):
    trainer = build_trainer(ready)
    trainer.state.log_history.append({"train_runtime": 12.34})
    assert training_record(ready, trainer)["seconds"] == 12.3
    assert training_record(replace(ready, resume_from="checkpoint-1"), trainer)["seconds"] is None
