"""Trainings in this process: trained and frozen weights, gradients, and written files."""

import json
import math
import re
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file

from modeling import Wav2Vec2ForMultiTaskSER
from preprocessing.prepared.load import load_prepared
from publishing.card import shown_figures
from publishing.export import export_checkpoint
from tests.support.documents import seen_in_training
from tests.training.conftest import TASKS, job, start_from
from training.run import propose_bfloat16, train

ONE_STEP = [
    *("--max_steps", "1", "--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"),
    *("--calibrate", "false"),
]


AMX = ("amx_bf16", "avx512_bf16")
LARGE = 300_000_000


@pytest.mark.parametrize(
    ("changed", "instructions", "expected"),
    [
        ({}, AMX, True),
        ({"settings": {"bf16": False}}, AMX, False),
        ({"settings": {"bf16": True}, "bf16": True}, AMX, False),
        ({"bf16": True}, AMX, False),  # of accelerate launch --mixed_precision bf16
        ({"resume_from": "checkpoint-3"}, AMX, False),
        ({"recipe_of": "folds"}, AMX, False),
        ({"process_index": 1}, AMX, False),
        ({"device": "cuda"}, AMX, False),
        ({"size": 400_000}, AMX, False),
        ({}, ("avx512_bf16",), False),  # not measured
        ({}, (), False),
    ],
)
def test_bfloat16_is_proposed_where_it_pays_and_nobody_has_chosen(monkeypatch, capsys, changed, instructions, expected):
    values = {"settings": {}, "bf16": False, "resume_from": None, "recipe_of": None, "process_index": 0}
    values |= {"device": "cpu", "size": LARGE, **changed}
    args = SimpleNamespace(
        **{name: values[name] for name in ("bf16", "recipe_of", "process_index")},
        device=torch.device(values["device"]),
    )
    model = SimpleNamespace(num_parameters=lambda: values["size"])
    monkeypatch.setattr("training.run.bfloat16_instructions", lambda: instructions)
    propose_bfloat16(
        SimpleNamespace(settings=values["settings"], resume_from=values["resume_from"], args=args, model=model)
    )
    assert ("--bf16" in capsys.readouterr().out) == expected


@pytest.mark.slow
def test_a_training_writes_all_of_its_files(arguments, tmp_path, capsys):
    began = time.monotonic()
    report = train(job([*arguments, "--logging_steps", "1", "--num_train_epochs", "2"]))
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
    record = json.loads((output / "training.json").read_text())
    assert record["epochs"] == 2
    assert 0 < record["seconds"] < seconds + 0.1
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
@pytest.mark.slow
def test_frozen_parameters_stay_bit_identical_and_all_others_move(arguments, backbone, padding):
    start = arguments.index("--config_name")
    arguments[start : start + 2] = ["--model_name_or_path", str(backbone)]
    ready = job([*arguments, "--freeze", "feature_encoder", "--padding", padding])
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    frozen = {name for name, parameter in ready.model.named_parameters() if not parameter.requires_grad}
    assert frozen == {name for name in before if name.startswith("wav2vec2.feature_extractor.")}
    train(ready)
    for name, parameter in ready.model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name in frozen), name


def gradient(arguments, batch: int, accumulation: int, output: Path) -> dict[str, torch.Tensor]:
    """The gradient of the first 32 clips: what one step of SGD at rate 1 takes off the weights."""
    ready = job(
        [
            *arguments,
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


@pytest.mark.slow
def test_32_clips_have_one_gradient_however_they_are_accumulated(arguments, tmp_path):
    arguments += ["--task_weights", "gender=0.5", "--padding", "masked"]
    whole = gradient(arguments, 32, 1, tmp_path / "whole")
    for batch, accumulation in ((8, 4), (16, 2)):
        parts = gradient(arguments, batch, accumulation, tmp_path / f"parts-{batch}")
        for name, values in whole.items():
            torch.testing.assert_close(parts[name], values, rtol=0, atol=1e-6, msg=name)


@pytest.mark.slow
def test_a_task_of_the_users_own_trains(arguments):
    start = arguments.index("--tasks")
    arguments[start + 1 : start + 1 + len(TASKS)] = ["recorded", "valence"]
    report = train(job(arguments))
    assert report["main_task"] == "recorded"
    assert report["tasks"]["valence"]["kind"] == "regression"


@pytest.mark.slow
def test_records_of_other_weights_are_removed(arguments, backbone, tmp_path):
    output = tmp_path / "run"
    output.mkdir()
    for stale in ("metrics.json", "training_clips.txt"):
        (output / stale).write_text("stale")
    ready = job([*arguments, *ONE_STEP])
    ready.clips_before = None  # as of a checkpoint without a record
    del ready.splits["test"]  # as under a protocol without one
    assert train(ready) == {}
    assert (output / "model.safetensors").is_file()
    assert not (output / "metrics.json").exists()
    assert not (output / "training_clips.txt").exists()


@pytest.mark.slow
def test_unknown_training_clips_of_a_checkpoint_stay_unknown(arguments, tmp_path):
    train(job([*arguments, *ONE_STEP]))
    first, onward = tmp_path / "run", tmp_path / "onward"
    start = ("--model_name_or_path", str(first), "--tasks", *TASKS, "--output_dir", str(onward))
    assert train(job([*start_from(arguments, *start), *ONE_STEP]))["num_clips_seen_in_training"] == 0
    (first / "training_clips.txt").unlink()
    shutil.rmtree(onward)
    assert train(job([*start_from(arguments, *start), *ONE_STEP]))["num_clips_seen_in_training"] is None
    card = (export_checkpoint(onward, tmp_path / "repo", "org/name")[0].parent / "README.md").read_text()
    assert seen_in_training(card)[0] is None


@pytest.mark.slow
def test_a_class_without_training_clips_is_warned_of_and_every_number_is_finite(arguments, prepared, tmp_path, caplog):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    path = folder / "splits" / "paper.json"
    content = json.loads(path.read_text())
    sad = {row["id"] for clips in load_prepared(folder, "paper").values() for row in clips if row["emotion"] == "sad"}
    moved = {id_: "test" if split == "train" and id_ in sad else split for id_, split in content["clips"].items()}
    path.write_text(json.dumps({**content, "clips": moved}))
    arguments[1] = str(folder)
    report = train(job(arguments))
    assert f"sad (emotion), but {len(sad)} clips" in caplog.text
    emotion = report["tasks"]["emotion"]
    assert emotion["unknown_labels"] == {"sad": sum(moved[id_] == "test" for id_ in sad)}
    assert emotion["confusion"]["labels"] == ["angry", "happy", "sad"]
    json.dumps(report, allow_nan=False)
    export_checkpoint(tmp_path / "run", tmp_path / "repo", "org/name")
    card = (tmp_path / "repo" / "README.md").read_text()
    assert "| emotion | angry, happy |" in card
    assert re.search(r"\bnan\b", card) is None


@pytest.mark.slow
def test_a_task_without_a_target_is_skipped_and_the_others_are_trained(arguments, prepared, caplog):
    clips = load_prepared(prepared, "paper")["train"]
    assert {row["gender"] for row in clips if row["corpus"] == "beta"} == {None}
    tasks = ["emotion", "gender", "f0_mean"]
    report = train(job([*arguments, "--protocol", "cross:beta", "--tasks", *tasks, *ONE_STEP]))
    assert "Task gender" in caplog.text
    assert [*report["tasks"]] == ["emotion", "f0_mean"]


@pytest.mark.slow
def test_early_stopping(arguments, tmp_path):
    # At a rate of zero no evaluation is better than the first.
    train(job([*arguments, "--learning_rate", "1e-30", "--num_train_epochs", "9", "--early_stopping_patience", "2"]))
    state = json.loads(max((tmp_path / "run").glob("checkpoint-*/trainer_state.json")).read_text())
    assert state["epoch"] == 3


@pytest.mark.slow
def test_a_custom_protocol_trains_and_is_reported(arguments, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    clips = json.loads((folder / "splits" / "paper.json").read_text())["clips"]
    (folder / "splits" / "mine.json").write_text(json.dumps({"clips": clips}))
    arguments[1] = str(folder)
    report = train(job([*arguments, "--protocol", "mine", *ONE_STEP]))
    assert report["protocol"]["family"] == "mine"
    export_checkpoint(tmp_path / "run", tmp_path / "repo", "org/name")
    assert "`mine`" in (tmp_path / "repo" / "README.md").read_text()
    (folder / "splits" / "mine.json").write_text(json.dumps({"clips": dict.fromkeys(clips, "test")}))
    with pytest.raises(ValueError, match="mine"):
        job([*arguments, "--protocol", "mine", "--output_dir", str(tmp_path / "other")])
