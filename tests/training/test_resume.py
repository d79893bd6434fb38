"""A resume continues the same training or is refused, and the training clips of a checkpoint stay known."""

import json
import re
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from common.training_clips import read_training_clips
from preprocessing.prepared.load import load_prepared
from publishing.export import export_checkpoint
from tests.support.documents import seen_in_training
from tests.training.conftest import TASKS, flags, job, start_from
from training.resume import RESUME_SETTINGS, checkpoint_to_resume, differences, write_resume_settings
from training.run import build_trainer, train
from training.sweep import Sweep

SHORT = ["--max_steps", "1", "--calibrate", "false", "--save_strategy", "steps", "--eval_strategy", "steps"]
RESUME = ["--resume_from_checkpoint", "latest"]
SOON = ["--eval_steps", "1", "--save_steps", "1"]


@pytest.fixture
def short(arguments) -> list[str]:
    return [*arguments, *SHORT, *SOON]


@pytest.fixture(scope="module")
def once(prepared, backbone_config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("once") / "run"
    train(job([*flags(prepared, backbone_config, folder), *SHORT, *SOON]))
    return folder


@pytest.fixture
def finished(once, tmp_path) -> Path:
    """The folder of a training of one step."""
    return shutil.copytree(once, tmp_path / "run")


def changed(prepared, folder, **columns) -> Path:
    """A copy of a prepared folder whose protocol `paper` moves one training clip to the test."""
    copy = shutil.copytree(prepared, folder)
    path = copy / "splits" / "paper.json"
    content = json.loads(path.read_text())
    moved = next(id_ for id_, split in content["clips"].items() if split == "train")
    path.write_text(json.dumps({**content, "clips": {**content["clips"], moved: "test"}}))
    return copy


def test_resume_settings_and_clips_are_written_before_the_first_step(short, prepared, tmp_path, monkeypatch):
    ready = job(short)
    monkeypatch.setattr("training.run.MultiTaskSERTrainer.train", lambda *_, **__: pytest.fail("a step was made"))
    with pytest.raises(pytest.fail.Exception):
        train(ready)
    record = json.loads((tmp_path / "run" / RESUME_SETTINGS).read_text())
    assert (record["protocol"], record["seed"], record["batch_size"]) == ("paper", 42, 32)
    assert record["labels"]["gender"] == ["female", "male"]
    clips = load_prepared(prepared, "paper")["train"]["id"]
    assert read_training_clips(tmp_path / "run") == set(clips)
    assert str(tmp_path) not in json.dumps(record)


@pytest.mark.slow
def test_every_checkpoint_has_resume_settings_and_clips(finished, prepared):
    checkpoint = finished / "checkpoint-1"
    assert json.loads((checkpoint / RESUME_SETTINGS).read_text()) == json.loads(
        (finished / RESUME_SETTINGS).read_text()
    )
    assert read_training_clips(checkpoint) == set(load_prepared(prepared, "paper")["train"]["id"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (["--protocol", "speaker"], "protocol"),
        (["--tasks", "emotion", "gender"], "tasks"),
        (["--seed", "7"], "seed"),
        (["--effective_batch_size", "16"], "batch_size"),
        (["--learning_rate", "1"], "learning_rate"),
        (["--task_weights", "emotion=2"], "task_weights"),
        (["--optim", "sgd"], "optim"),
        (["--lr_scheduler_kwargs", '{"last_epoch": -1}'], "lr_scheduler_kwargs"),
        (["--padding", "paper"], "padding"),
        (["--layers", "weighted"], "layer_weights"),
        (["--metric_for_best_model", "loss"], "metric_for_best_model"),
        (["--augment", "gain"], "augment"),
        (["--corpus_temperature", "0.5"], "corpus_temperature"),
    ],
)
@pytest.mark.slow
def test_a_resume_with_another_setting_is_refused_by_its_name(finished, short, changes, named):
    with pytest.raises(ValueError, match=rf"\b{named} "):
        job([*short, *RESUME, *changes])


@pytest.mark.slow
def test_a_resume_on_other_clips_or_from_another_start_is_refused(finished, short, prepared, backbone, tmp_path):
    other = changed(prepared, tmp_path / "other")
    with pytest.raises(ValueError, match=r"\bdata .*\btrain\b"):
        job([*short, *RESUME, "--data", str(other)])
    with pytest.raises(ValueError, match=r"\bstart\b"):
        job([*start_from(short, "--model_name_or_path", str(backbone)), *RESUME])


@pytest.mark.slow
def test_a_resume_with_longer_clips_is_refused(finished, short, prepared, tmp_path):
    other = shutil.copytree(prepared, tmp_path / "other")
    report = json.loads((other / "report.json").read_text())
    report["settings"]["max_duration_s"] = 12.0
    (other / "report.json").write_text(json.dumps(report))
    with pytest.raises(ValueError, match=r"max_duration_s .*6\.0.* 12\.0"):
        job([*short, *RESUME, "--data", str(other)])


@pytest.mark.slow
def test_a_copy_of_a_run_is_checked_too(finished, short, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    with pytest.raises(ValueError, match=r"protocol .*paper.* speaker"):
        job([*short, *RESUME, "--output_dir", str(copy), "--protocol", "speaker"])


@pytest.mark.parametrize("lost", ["optimizer.pt", "scheduler.pt", RESUME_SETTINGS])
@pytest.mark.slow
def test_a_checkpoint_that_lacks_what_a_resume_needs_is_refused_by_its_name(finished, short, lost):
    (finished / "checkpoint-1" / lost).unlink()
    with pytest.raises(ValueError, match=lost):
        job([*short, *RESUME])


@pytest.mark.slow
def test_the_same_training_resumes_and_may_take_longer(finished, short):
    resumed = job([*short, *RESUME, "--max_steps", "2", "--logging_steps", "1"])
    assert resumed.resume_from == str(finished / "checkpoint-1")
    assert train(resumed)["num_clips_seen_in_training"] == 0


@pytest.mark.slow
def test_a_resume_into_the_folder_of_another_training_is_refused(finished, short, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(finished, other)
    with pytest.raises(ValueError, match="other"):
        job([*short, "--resume_from_checkpoint", str(finished / "checkpoint-1"), "--output_dir", str(other)])


AUGMENT = ["--augment", "noise", "babble", "speed", "gain", "room", "--augment_probability", "0.5"]
TWO_EPOCHS = ["--num_train_epochs", "2", "--calibrate", "false", "--save_strategy", "steps", "--eval_strategy", "no"]
WORKERS = ["--dataloader_num_workers", "2", "--dataloader_persistent_workers", "true"]
SAMPLED = ["--corpus_temperature", "0"]


@pytest.mark.slow
def test_an_augmented_and_sampled_training_that_resumes_within_an_epoch_ends_with_the_same_weights(arguments, tmp_path):
    lasting = ["--save_steps", "1", "--save_total_limit", "9", "--load_best_model_at_end", "false"]
    augmented = [*arguments, *TWO_EPOCHS, *lasting, *AUGMENT, *SAMPLED]
    train(job(augmented))
    steps = sorted((tmp_path / "run").glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    within = steps[len(steps) // 2]
    assert 1 < json.loads((within / "trainer_state.json").read_text())["epoch"] < 2
    weights = load_file(tmp_path / "run" / "model.safetensors")
    for output, extra in (("resumed", [*RESUME, *WORKERS]), ("in_workers", WORKERS)):
        if output == "resumed":
            shutil.copytree(within, tmp_path / output / within.name)
        train(job([*augmented, *extra, "--output_dir", str(tmp_path / output)]))
        for name, value in load_file(tmp_path / output / "model.safetensors").items():
            assert value.equal(weights[name]), (output, name)
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert record["augmentation"] == {"transforms": ["noise", "babble", "speed", "gain", "room"], "probability": 0.5}
    assert record["corpus_sampling"]["temperature"] == 0
    first, second = record["corpus_sampling"]["clips_per_epoch"].values()
    assert abs(first - second) <= 1


@pytest.mark.slow
def test_clips_seen_are_a_union_over_all_trainings(finished, short, prepared, tmp_path):
    start = ("--model_name_or_path", str(finished / "checkpoint-1"), "--tasks", *TASKS, "--protocol", "speaker")
    onward = tmp_path / "onward"
    report = train(job([*start_from(short, *start), "--output_dir", str(onward)]))
    first, second = (set(load_prepared(prepared, name)["train"]["id"]) for name in ("paper", "speaker"))
    assert read_training_clips(onward) == first | second
    test = set(load_prepared(prepared, "speaker")["test"]["id"])
    assert report["num_clips_seen_in_training"] == len(test & first) > 0
    assert report["num_speakers_seen_in_training"] > 0
    export_checkpoint(onward, tmp_path / "repo", "org/name")
    card = (tmp_path / "repo" / "README.md").read_text()
    assert seen_in_training(card) == (report["num_clips_seen_in_training"], report["num_speakers_seen_in_training"])


@pytest.mark.slow
def test_under_a_protocol_by_speaker_no_speaker_was_seen(short):
    assert train(job([*short, "--protocol", "speaker"]))["num_speakers_seen_in_training"] == 0


def test_the_clips_of_a_backbone_that_was_trained_on_labels_are_unknown(arguments, backbone, tmp_path):
    labeled = shutil.copytree(backbone, tmp_path / "labeled")
    config = json.loads((labeled / "config.json").read_text())
    (labeled / "config.json").write_text(json.dumps({**config, "architectures": ["Wav2Vec2ForSequenceClassification"]}))
    assert job(start_from(arguments, "--model_name_or_path", str(labeled))).clips_before is None


@pytest.mark.slow
def test_a_sweep_on_other_clips_is_refused(short, prepared, tmp_path):
    grid = ["--sweep", "--sweep_learning_rate", "1e-3", "--sweep_weight_decay", "0"]
    copy = shutil.copytree(prepared, tmp_path / "data")
    arguments = [*short, *grid, "--data", str(copy)]
    Sweep(job(arguments))
    Sweep(job(arguments))
    shutil.rmtree(copy)
    changed(prepared, copy)
    with pytest.raises(ValueError, match=r"\bdata .*\btrain\b"):
        Sweep(job(arguments))
    with pytest.raises(ValueError, match="save_only_model"):
        job([*arguments, "--save_only_model"])


def test_differences_name_what_differs_with_both_values():
    assert differences({"a": 1, "b": [1, 2], "c": None}, {"a": 1, "b": [3], "d": 4}) == [
        "b was 1 2, but is 3",
        "d was None, but is 4",
    ]
    assert differences({"a": 1}, {"a": 2}, ignored=("a",)) == []


def test_every_checkpoint_of_a_trainer_has_resume_settings(short, tmp_path):
    trainer = build_trainer(job(short))
    trainer.save_model(str(tmp_path / "saved"))
    assert (tmp_path / "saved" / RESUME_SETTINGS).is_file()
    write_resume_settings({"a": 1}, tmp_path / "mine")
    assert json.loads((tmp_path / "mine" / RESUME_SETTINGS).read_text()) == {"a": 1}


@pytest.fixture
def output_dir(tmp_path):
    """Two complete checkpoints, and a third that a killed process was writing."""
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-11" / "trainer_state.json").write_text('{"global_st')
    (tmp_path / "checkpoint-best").mkdir()
    return tmp_path


@pytest.mark.parametrize("word", ["latest", "true", "True"])
def test_latest_is_the_last_complete_checkpoint_by_number(output_dir, word):
    assert checkpoint_to_resume(output_dir, word) == str(output_dir / "checkpoint-10")


def test_latest_is_the_beginning_without_a_checkpoint(tmp_path):
    assert checkpoint_to_resume(tmp_path, "latest") is None
    assert checkpoint_to_resume(tmp_path / "not there yet", "latest") is None


def test_a_finished_training_without_a_checkpoint_is_not_started_again(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        checkpoint_to_resume(tmp_path, "latest")


def test_a_checkpoint_by_its_path(output_dir):
    path = str(output_dir / "checkpoint-9")
    assert checkpoint_to_resume(output_dir, path) == path


@pytest.mark.parametrize("name", ["checkpoint-11", "checkpoint-12"])
def test_an_incomplete_or_missing_checkpoint_is_refused(output_dir, name):
    with pytest.raises(ValueError, match=name):
        checkpoint_to_resume(output_dir, str(output_dir / name))


def test_another_training_is_not_overwritten(output_dir, tmp_path):
    with pytest.raises(ValueError, match="--resume_from_checkpoint"):
        checkpoint_to_resume(output_dir, None)
    assert checkpoint_to_resume(tmp_path / "new", None) is None
