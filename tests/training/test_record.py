import json
import shutil
from dataclasses import replace

import pytest
from datasets import DatasetDict

from common.training_record import read_training_record
from preprocessing.corpora import CORPORA
from preprocessing.corpora.own_arguments import stated_license
from tests.publishing import conftest as publishing
from tests.support.trainings import record_of
from tests.training.conftest import flags, job
from training.record import training_record, write_training_record
from training.run import build_trainer


@pytest.fixture(scope="module")
def _ready(prepared, backbone_config, tmp_path_factory):
    return job(flags(prepared, backbone_config, tmp_path_factory.mktemp("record") / "run"))


@pytest.fixture
def ready(_ready):
    """A training whose clips and settings a test may replace."""
    return replace(_ready, splits=DatasetDict(_ready.splits), data=replace(_ready.data))


def test_the_record_describes_the_training(ready, splits, tmp_path):
    record = record_of(ready)
    assert record.keys() == publishing.training_record().keys()  # which the tests of the card use
    corpora = {entry["corpus"]: entry for entry in record["data"]}
    assert corpora.keys() == {"alpha", "beta"}
    assert sum(entry["clips"] for entry in record["data"]) == len(splits["train"])
    assert sum(entry["hours"] for entry in record["data"]) == pytest.approx(sum(splits["train"]["duration_s"]) / 3600)
    assert {name: corpora["alpha"][name] for name in publishing.OWN} == publishing.OWN
    assert record["locales"] == ["de-DE", "pl-PL"]
    assert (record["protocol"], record["epochs"], record["batch_size"], record["learning_rate"]) == (
        "paper",
        1,
        32,
        1e-4,
    )
    assert (record["start"], record["base_model"]) == ("random weights", None)
    assert record["parameters"]["all"] == record["parameters"]["trained"] == ready.model.num_parameters()
    assert record["hardware"]["device"].startswith("CPU")
    assert record["fine_tuning"] == {"head_learning_rate": 1e-4, "layer_decay": 1.0, "lora_rank": 0}
    assert record["seconds"] is None  # there was no step
    assert {"multilingual-multitask-ser", "commit"} <= record["versions"].keys()
    write_training_record(ready, build_trainer(ready), tmp_path)
    text = (tmp_path / "training.json").read_text(encoding="utf-8")
    assert json.loads(text) == record
    assert str(ready.output_dir.parent) not in text


def test_sampling_over_corpora_is_recorded_with_the_clips_of_an_epoch(arguments, splits, tmp_path):
    ready = job([*arguments, "--corpus_temperature", "0.25"])
    sampling = record_of(ready)["corpus_sampling"]
    assert sampling["temperature"] == 0.25
    assert sampling["clips_per_epoch"].keys() == {"alpha", "beta"}
    assert sum(sampling["clips_per_epoch"].values()) == len(splits["train"])
    write_training_record(ready, build_trainer(ready), tmp_path)
    assert read_training_record(tmp_path / "training.json")["corpus_sampling"] == sampling


def test_a_published_corpus_comes_with_its_license(ready):
    clips = ready.splits["train"]
    renamed = clips.remove_columns("corpus").add_column("corpus", ["ravdess"] * len(clips))
    ready.splits["train"] = renamed
    (entry,) = record_of(ready)["data"]
    published = CORPORA["ravdess"]
    for name in ("title", "homepage", "license", "commercial", "redistributable"):
        assert entry[name] == getattr(published, name)
    assert entry["clips"] == len(clips)


def test_merged_classes_are_counted_by_the_authors_labels(ready, tmp_path):
    clips = ready.splits["train"]
    labels = ["boredom" if emotion == "sad" else emotion for emotion in clips["emotion"][:]]
    ready.splits["train"] = clips.remove_columns("raw_label").add_column("raw_label", labels)
    merged = record_of(ready)["merged_labels"]
    assert sum(classes["sad"]["boredom"] for classes in merged.values()) == labels.count("boredom") > 0
    write_training_record(ready, build_trainer(ready), tmp_path)
    assert read_training_record(tmp_path / "training.json")["merged_labels"] == merged


def test_own_audio_comes_with_the_license_that_was_stated(ready, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report["settings"]["licenses"] = {"alpha": stated_license("CC BY-NC 4.0"), "beta": None}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    ready.data.data = str(folder)
    alpha, beta = record_of(ready)["data"]
    assert (alpha["license"], alpha["commercial"], alpha["redistributable"]) == ("CC BY-NC 4.0", False, True)
    assert beta["license"] == "not stated"
    write_training_record(ready, build_trainer(ready), tmp_path)
    assert read_training_record(tmp_path / "training.json")["data"][0]["license"] == "CC BY-NC 4.0"


def test_the_time_of_a_resumed_training_is_not_recorded(ready):
    trainer = build_trainer(ready)
    trainer.state.log_history.append({"train_runtime": 12.34})
    assert training_record(ready, trainer)["seconds"] == 12.3
    assert training_record(replace(ready, resume_from="checkpoint-1"), trainer)["seconds"] is None
