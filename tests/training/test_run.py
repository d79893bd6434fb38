"""Trainings in this process: what moves, what stays, what gradients are, and what is refused before a step is made."""

import json
import math
import re
import shutil
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from modeling import Wav2Vec2ForMultiTaskSER
from preprocessing.prepared.load import load_prepared
from publishing.card import shown_figures
from publishing.export import export_checkpoint
from tests.training.conftest import TASKS, job, start_from
from training.run import train

ONE_STEP = [
    *("--max_steps", "1", "--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"),
    *("--calibrate", "false"),
]


def test_a_training_leaves_all_that_is_promised(words, tmp_path, capsys):
    began = time.monotonic()
    report = train(job([*words, "--logging_steps", "1", "--num_train_epochs", "2"]))
    seconds = time.monotonic() - began
    output = tmp_path / "run"
    assert json.loads((output / "metrics.json").read_text()) == report
    assert report["tasks"].keys() == set(TASKS)
    assert report["tasks"]["emotion"]["clips"] > report["tasks"]["gender"]["clips"] > 0  # beta gives no gender
    assert (output / "preprocessor_config.json").is_file()
    Wav2Vec2ForMultiTaskSER.from_pretrained(output)
    assert (output / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert report["num_clips_seen_in_training"] == 0
    assert "emotion by corpus" in capsys.readouterr().out
    calibration = json.loads((output / "calibration.json").read_text())
    assert calibration.keys() == {"emotion", "gender", "language"}
    temperatures = {name: report["tasks"][name]["calibration"]["temperature"] for name in calibration}
    assert temperatures == {name: head["temperature"] for name, head in calibration.items()}
    assert set(temperatures.values()) != {1.0}
    facts = json.loads((output / "training.json").read_text())
    assert facts["epochs"] == 2
    assert 0 < facts["seconds"] < seconds + 0.1
    assert (output / "report.md").is_file()
    published = export_checkpoint(output, tmp_path / "repo", "org/name")
    figures = {path.name for path in published if path.suffix == ".png"}
    assert figures == set(shown_figures("emotion").values())

    state = json.loads(max(output.glob("checkpoint-*/trainer_state.json")).read_text())
    steps = [line for line in state["log_history"] if "loss" in line]
    assert all(math.isfinite(line[f"loss_{task}"]) for line in steps for task in TASKS)
    evaluation = next(line for line in state["log_history"] if "eval_loss" in line)
    assert "eval_emotion_weighted_f1" in evaluation
    assert "eval_loss_f0_mean" in evaluation
    assert state["best_metric"] == max(
        line["eval_emotion_weighted_f1"] for line in state["log_history"] if "eval_loss" in line
    )

    again = yaml.safe_load((output / "train_config.yaml").read_text())
    again["output_dir"] = str(tmp_path / "again")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(again))
    second = train(job(["--config", str(tmp_path / "config.yaml")]))
    first_weights, second_weights = (load_file(tmp_path / name / "model.safetensors") for name in ("run", "again"))
    assert all(torch.equal(first_weights[name], second_weights[name]) for name in first_weights)
    assert second["tasks"] == report["tasks"]
    repeated = json.loads(max((tmp_path / "again").glob("checkpoint-*/trainer_state.json")).read_text())
    assert losses_of(repeated) == losses_of(state)
    last = [line for line in state["log_history"] if "eval_loss" in line][-1]
    assert last["eval_loss"] == pytest.approx(sum(last[f"eval_loss_{task}"] for task in TASKS), rel=1e-5)


def losses_of(state: dict) -> list[dict]:
    return [{name: line[name] for name in line if "loss" in name} for line in state["log_history"]]


@pytest.mark.parametrize("padding", ["masked", "paper"])
def test_frozen_parameters_stay_bit_identical_and_all_others_move(words, backbone, padding):
    start = words.index("--config_name")
    words[start : start + 2] = ["--model_name_or_path", str(backbone)]
    ready = job([*words, "--freeze_feature_encoder", "true", "--padding", padding])
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    frozen = {name for name, parameter in ready.model.named_parameters() if not parameter.requires_grad}
    assert frozen == {name for name in before if name.startswith("wav2vec2.feature_extractor.")}
    train(ready)
    for name, parameter in ready.model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name in frozen), name


def gradient(words, batch: int, accumulation: int, output: Path) -> dict[str, torch.Tensor]:
    """The gradient of the first 32 clips: what one step of plain descent at rate 1 takes off the weights."""
    ready = job(
        [
            *words,
            *("--optim", "sgd", "--learning_rate", "1", "--warmup_steps", "0", "--lr_scheduler_type", "constant"),
            *("--max_grad_norm", "0", "--max_steps", "1", "--output_dir", str(output), "--calibrate", "false"),
            *("--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"),
            *("--per_device_train_batch_size", str(batch), "--gradient_accumulation_steps", str(accumulation)),
        ]
    )
    ready.model.double()  # gradients of 10 and more, whose rounding in float32 would be above the bound
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    train(ready)
    return {name: before[name] - parameter.detach() for name, parameter in ready.model.named_parameters()}


def test_32_clips_have_one_gradient_however_they_are_accumulated(words, tmp_path):
    words += ["--task_weights", "gender=0.5", "--padding", "masked"]
    whole = gradient(words, 32, 1, tmp_path / "whole")
    for batch, accumulation in ((8, 4), (16, 2)):
        parts = gradient(words, batch, accumulation, tmp_path / f"parts-{batch}")
        for name, values in whole.items():
            torch.testing.assert_close(parts[name], values, rtol=0, atol=1e-6, msg=name)


def test_a_task_of_the_users_own_trains(words):
    start = words.index("--tasks")
    words[start + 1 : start + 1 + len(TASKS)] = ["recorded", "valence"]
    report = train(job(words))
    assert report["main_task"] == "recorded"
    assert report["tasks"]["valence"]["kind"] == "regression"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "nowhere"], "not a prepared folder"),
        (["--protocol", "papr"], "no protocol 'papr'; it has paper, paper-20, speaker"),
        (["--tasks", "emotion", "arousal"], "no column 'arousal'"),
        (["--metric_for_best_model", "f1"], "no such figure"),
        (["--early_stopping_patience", "2", "--eval_strategy", "no", "--load_best_model_at_end", "false"], "needs"),
        (["--config_name", "nowhere.json"], r"nowhere\.json"),
        (["--task_weights", "emotion"], "NAME=WEIGHT"),
        (["--task_weights", "valence=1"], "got valence"),
        (["--task_weights", "emotion=1", "emotion=2"], "--task_weights emotion=2"),
        (["--new_heads", "valence"], "got valence"),
        (["--tasks", "emotion", "emotion"], "twice"),
        (["--tasks", "emotion", "duration_s"], "not in use"),
    ],
)
def test_bad_settings_fail_before_a_step_is_made(words, flags, message):
    with pytest.raises(ValueError, match=message):
        job([*words, *flags])


def test_what_is_known_of_other_weights_does_not_stay_beside_new_ones(words, backbone, tmp_path):
    output = tmp_path / "run"
    output.mkdir()
    for stale in ("metrics.json", "training_clips.txt"):
        (output / stale).write_text("stale")
    ready = job([*words, *ONE_STEP])
    ready.trained_before = None  # as of a checkpoint that does not say
    del ready.splits["test"]  # as under a protocol that has none
    assert train(ready) == {}
    assert (output / "model.safetensors").is_file()
    assert not (output / "metrics.json").exists()
    assert not (output / "training_clips.txt").exists()


def test_what_an_unknown_checkpoint_heard_is_not_taken_for_nothing(words, tmp_path):
    train(job([*words, *ONE_STEP]))
    first, onward = tmp_path / "run", tmp_path / "onward"
    start = ("--model_name_or_path", str(first), "--tasks", *TASKS, "--output_dir", str(onward))
    assert train(job([*start_from(words, *start), *ONE_STEP]))["num_clips_seen_in_training"] == 0
    (first / "training_clips.txt").unlink()
    shutil.rmtree(onward)
    assert train(job([*start_from(words, *start), *ONE_STEP]))["num_clips_seen_in_training"] is None
    card = (export_checkpoint(onward, tmp_path / "repo", "org/name")[0].parent / "README.md").read_text()
    assert "it may have heard these clips" in card
    assert "None of these clips was in the model's training" not in card


def test_a_running_training_is_not_overwritten(words, tmp_path):
    train(job(words))
    with pytest.raises(ValueError, match="--resume_from_checkpoint latest"):
        job(words)


@pytest.mark.parametrize(
    ("given", "chosen", "greater_is_better"),
    [
        ([], "emotion_weighted_f1", True),
        (["--metric_for_best_model", "loss"], "loss", False),
        (["--metric_for_best_model", "eval_loss_gender"], "loss_gender", False),
        (["--metric_for_best_model", "f0_mean_mae"], "f0_mean_mae", False),
        (["--metric_for_best_model", "f0_mean_ccc"], "f0_mean_ccc", True),
        (["--load_best_model_at_end", "false"], None, None),
        (["--load_best_model_at_end", "false", "--early_stopping_patience", "2"], "emotion_weighted_f1", True),
    ],
)
def test_the_best_checkpoint_is_the_best_by_the_chosen_metric(words, given, chosen, greater_is_better):
    args = job([*words, *given]).args
    assert args.metric_for_best_model == chosen
    if chosen:
        assert args.greater_is_better == greater_is_better


def test_clips_that_are_in_no_split_are_counted(words, prepared, caplog):
    splits = job([*words, "--protocol", "cross:alpha", "--tasks", "emotion"]).splits
    unused = 96 - sum(map(len, splits.values()))
    assert f"Protocol cross:alpha: {unused} clips of {prepared} are in no split." in caplog.text
    caplog.clear()
    job([*words, "--protocol", "speaker"])
    assert "in no split" not in caplog.text


def test_a_class_that_training_lacks_is_said_and_leaves_every_number_finite(words, prepared, tmp_path, caplog):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    path = folder / "splits" / "paper.json"
    content = json.loads(path.read_text())
    sad = {row["id"] for clips in load_prepared(folder, "paper").values() for row in clips if row["emotion"] == "sad"}
    moved = {id_: "test" if split == "train" and id_ in sad else split for id_, split in content["clips"].items()}
    path.write_text(json.dumps({**content, "clips": moved}))
    words[1] = str(folder)
    report = train(job(words))
    assert f"No training clip is sad (emotion), and {len(sad)} of the other splits are." in caplog.text
    emotion = report["tasks"]["emotion"]
    assert emotion["unknown_labels"] == {"sad": sum(moved[id_] == "test" for id_ in sad)}
    assert emotion["confusion"]["labels"] == ["angry", "happy", "sad"]
    json.dumps(report, allow_nan=False)
    export_checkpoint(tmp_path / "run", tmp_path / "repo", "org/name")
    card = (tmp_path / "repo" / "README.md").read_text()
    assert "| emotion | angry, happy |" in card
    assert re.search(r"\bnan\b", card) is None


def test_a_task_without_a_target_is_left_out_and_the_others_are_trained(words, prepared, caplog):
    clips = load_prepared(prepared, "paper")["train"]
    assert {row["gender"] for row in clips if row["corpus"] == "beta"} == {None}
    tasks = ["emotion", "gender", "f0_mean"]
    report = train(job([*words, "--protocol", "cross:beta", "--tasks", *tasks, *ONE_STEP]))
    assert "Task gender is left out: no training clip has a value in the column 'gender'." in caplog.text
    assert [*report["tasks"]] == ["emotion", "f0_mean"]


def test_early_stopping(words, tmp_path):
    # At a rate of zero no evaluation is better than the first.
    train(job([*words, "--learning_rate", "1e-30", "--num_train_epochs", "9", "--early_stopping_patience", "2"]))
    state = json.loads(max((tmp_path / "run").glob("checkpoint-*/trainer_state.json")).read_text())
    assert state["epoch"] == 3


def test_a_protocol_of_ones_own_trains_and_is_reported(words, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    clips = json.loads((folder / "splits" / "paper.json").read_text())["clips"]
    (folder / "splits" / "mine.json").write_text(json.dumps({"clips": clips}))
    words[1] = str(folder)
    report = train(job([*words, "--protocol", "mine", *ONE_STEP]))
    assert report["protocol"]["family"] == "mine"
    export_checkpoint(tmp_path / "run", tmp_path / "repo", "org/name")
    assert "`mine`" in (tmp_path / "repo" / "README.md").read_text()
    (folder / "splits" / "mine.json").write_text(json.dumps({"clips": dict.fromkeys(clips, "test")}))
    with pytest.raises(ValueError, match="no training clips"):
        job([*words, "--protocol", "mine", "--output_dir", str(tmp_path / "other")])
