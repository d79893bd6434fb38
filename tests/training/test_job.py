import json
import shutil

import pytest

from preprocessing.prepared.load import load_prepared
from tests.training.conftest import TASKS, job


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--protocol", "papr"], "papr.*paper-20"),
        (["--tasks", "emotion", "arousal"], "arousal"),
        (["--metric_for_best_model", "f1"], "--metric_for_best_model f1"),
        (
            ["--early_stopping_patience", "2", "--eval_strategy", "no", "--load_best_model_at_end", "false"],
            "--early_stopping",
        ),
        (["--config_name", "nowhere.json"], r"nowhere\.json"),
        (["--task_weights", "emotion"], "--task_weights 'emotion'"),
        (["--task_weights", "valence=1"], "valence"),
        (["--task_weights", "emotion=1", "emotion=2"], "--task_weights emotion=2"),
        (["--reset_heads", "valence"], "valence"),
        (["--tasks", "emotion", "emotion"], "--tasks"),
        (["--tasks", "emotion", "duration_s"], "duration_s"),
    ],
)
def test_invalid_settings_fail_before_the_first_step(arguments, flags, message):
    with pytest.raises(ValueError, match=message):
        job([*arguments, *flags])


def test_a_running_training_is_not_overwritten(arguments, tmp_path):
    (tmp_path / "run" / "checkpoint-1").mkdir(parents=True)
    with pytest.raises(ValueError, match="--resume_from_checkpoint latest"):
        job(arguments)


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
def test_the_metric_of_the_best_checkpoint_is_chosen(arguments, given, chosen, greater_is_better):
    args = job([*arguments, *given]).args
    assert args.metric_for_best_model == chosen
    if chosen:
        assert args.greater_is_better == greater_is_better


def test_clips_without_a_split_are_counted(arguments, prepared, caplog):
    splits = job([*arguments, "--protocol", "cross:alpha", "--tasks", "emotion"]).splits
    unused = 96 - sum(map(len, splits.values()))
    assert f"{unused} clips" in caplog.text
    caplog.clear()
    job([*arguments, "--protocol", "speaker"])
    assert "in no split" not in caplog.text


def test_a_metric_without_variation_among_the_validation_clips_is_refused(arguments, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    path = folder / "splits" / "paper.json"
    content = json.loads(path.read_text())
    happy = {
        row["id"] for clips in load_prepared(folder, "paper").values() for row in clips if row["emotion"] == "happy"
    }
    clips = {
        id_: "train" if split == "validation" and id_ not in happy else split for id_, split in content["clips"].items()
    }
    path.write_text(json.dumps({**content, "clips": clips}))
    with pytest.raises(ValueError, match="--metric_for_best_model emotion_weighted_f1"):
        job([*arguments, "--data", str(folder)])


def test_a_job_has_everything_that_a_training_needs(arguments, tmp_path):
    ready = job(arguments)
    assert ready.output_dir == tmp_path / "run"
    assert [task.name for task in ready.tasks] == TASKS
    assert ready.resume_from is None
    assert ready.clips_before == set()
    assert {"train", "validation", "test"} == {*ready.splits}
