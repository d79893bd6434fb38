import json

import pytest
from huggingface_hub import constants

from tests.publishing import conftest as publishing
from tests.support.loopback_hub import File, Repository, serve
from tests.support.trainings import record_of
from tests.training.conftest import TASKS, job, start_from
from training.arguments.settings import ModelArguments
from training.record import write_training_record
from training.run import build_trainer
from training.start import describe_start


@pytest.fixture
def ready(arguments):
    return job(arguments)


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
    """An untrained checkpoint of this project."""
    ready.model.save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


def test_a_backbone_from_the_hub_is_named_with_its_commit_and_a_local_one_is_not(hub, backbone, arguments):
    commit = put(hub, "org/base", backbone)
    record = record_of(job(start_from(arguments, "--model_name_or_path", "org/base")))
    assert (record["start"], record["base_model"], record["revision"]) == ("hub", "org/base", commit)
    assert record["before"] is None
    record = record_of(job(start_from(arguments, "--model_name_or_path", str(backbone))))
    assert (record["start"], record["base_model"], record["before"]) == ("local checkpoint", None, None)
    assert str(backbone) not in json.dumps(record)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["hub", "folder"])
def test_a_checkpoint_of_this_project_brings_its_record(hub, ready, arguments, tmp_path, feature_extractor, place):
    first = save(ready, feature_extractor, tmp_path / "first")
    write_training_record(ready, build_trainer(ready), first)
    name = str(first) if place == "folder" else "team/first"
    commit = put(hub, "team/first", first)
    record = record_of(job(start_from(arguments, "--model_name_or_path", name, "--tasks", *TASKS)))
    assert record["before"] == json.loads((first / "training.json").read_text())
    expected = ("local checkpoint", None, None) if place == "folder" else ("hub", "team/first", commit)
    assert (record["start"], record["base_model"], record["revision"]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("place", ["hub", "folder"])
def test_a_checkpoint_without_a_record_is_not_treated_as_a_backbone(
    hub, ready, arguments, tmp_path, feature_extractor, place, caplog
):
    first = save(ready, feature_extractor, tmp_path / "first")
    put(hub, "team/first", first)
    name = str(first) if place == "folder" else "team/first"
    onward = job(start_from(arguments, "--model_name_or_path", name, "--tasks", *TASKS))
    assert onward.start["before"] is None
    assert onward.clips_before is None  # rather than empty
    assert any(name in text and "training.json" in text for text in caplog.messages)


def test_a_backbone_and_random_weights_have_no_training_clips(ready, backbone, arguments):
    assert ready.clips_before == set()
    assert job(start_from(arguments, "--model_name_or_path", str(backbone))).clips_before == set()


@pytest.mark.parametrize(
    ("file", "start", "base_model"),
    [
        ("Cnn14_16k_mAP=0.438.pth", "published file", "Cnn14_16k_mAP=0.438.pth"),
        ("secret project.pth", "local checkpoint", None),
    ],
)
def test_only_published_files_are_named(tmp_path, file, start, base_model):
    (tmp_path / file).touch()
    record = describe_start(ModelArguments(model_name_or_path=str(tmp_path / file), architecture="panns"))
    assert record == {"start": start, "base_model": base_model, "revision": None, "before": None}


def test_a_folder_is_named_as_the_backbone_that_it_is_a_copy_of(ready, backbone, feature_extractor, tmp_path):
    def start(folder):
        return describe_start(ModelArguments(model_name_or_path=str(folder), base_model="openai/whisper-base"))

    assert start(backbone) == {"start": "hub", "base_model": "openai/whisper-base", "revision": None, "before": None}
    with pytest.raises(ValueError, match="openai/whisper-base"):
        start(save(ready, feature_extractor, tmp_path / "ours"))
