import json
from dataclasses import replace

import pytest

from preprocessing.corpora import CORPORA
from tests.publishing import conftest as publishing
from tests.training.conftest import TASKS, job, start_from
from training.facts import training_facts, write_training_facts
from training.run import build_trainer


@pytest.fixture
def ready(words):
    return job(words)


def facts_of(ready) -> dict:
    return training_facts(ready, build_trainer(ready))


def test_the_facts_are_those_of_the_training(ready, splits, tmp_path):
    facts = facts_of(ready)
    assert facts.keys() == publishing.training_facts().keys()  # which the tests of the card begin with
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
    write_training_facts(ready, build_trainer(ready), tmp_path)
    text = (tmp_path / "training.json").read_text(encoding="utf-8")
    assert json.loads(text) == facts
    assert str(tmp_path.parent) not in text


def test_a_published_corpus_comes_with_its_licence(ready):
    clips = ready.splits["train"]
    renamed = clips.remove_columns("corpus").add_column("corpus", ["ravdess"] * len(clips))
    ready.splits["train"] = renamed
    (entry,) = facts_of(ready)["data"]
    published = CORPORA["ravdess"]
    for name in ("title", "homepage", "licence", "commercial", "redistributable"):
        assert entry[name] == getattr(published, name)
    assert entry["clips"] == len(clips)


def test_a_backbone_from_the_hub_is_named_and_a_local_one_is_not(ready, backbone, words):
    settings = {**ready.settings, "model_name_or_path": "org/base", "model_revision": "v1"}
    facts = facts_of(replace(ready, settings=settings))
    assert (facts["start"], facts["base_model"], facts["revision"]) == ("hub", "org/base", "v1")
    facts = facts_of(job(start_from(words, "--model_name_or_path", str(backbone))))
    assert (facts["start"], facts["base_model"], facts["before"]) == ("local checkpoint", None, None)
    assert str(backbone) not in json.dumps(facts)


def test_a_checkpoint_of_this_project_brings_its_own_facts(ready, words, tmp_path, feature_extractor):
    first = tmp_path / "first"
    ready.model.save_pretrained(first)
    feature_extractor.save_pretrained(first)
    write_training_facts(ready, build_trainer(ready), first)
    second = job(start_from(words, "--model_name_or_path", str(first), "--tasks", *TASKS))
    facts = facts_of(second)
    assert facts["start"] == "local checkpoint"
    assert facts["before"] == json.loads((first / "training.json").read_text())


def test_time_is_that_of_a_training_in_one_go(ready):
    trainer = build_trainer(ready)
    trainer.state.log_history.append({"train_runtime": 12.34})
    assert training_facts(ready, trainer)["seconds"] == 12.3
    assert training_facts(replace(ready, resume_from="checkpoint-1"), trainer)["seconds"] is None
