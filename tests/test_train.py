"""`train.py` as it is typed: over two processes, and with a wrong setting. test_crash_recovery.py kills it."""

import json
import os
import re
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.run import train

pytestmark = pytest.mark.slow

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
PYTHON = (sys.executable,)
# `--cpu --num_processes 2` would start a single one.
TWO_PROCESSES = (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")


@pytest.fixture
def arguments(prepared, backbone_config) -> list[str]:
    return [
        *("--data", str(prepared), "--config_name", str(backbone_config), "--report_to", "none"),
        *("--tasks", "emotion", "gender", "f0_mean", "--freeze", "none", "--disable_tqdm", "true"),
        *("--dataloader_num_workers", "0", "--logging_steps", "1"),
    ]


def run(arguments, launcher=PYTHON, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*launcher, "train.py", *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_two_processes_have_the_gradient_of_one_and_count_every_clip_once(arguments, tmp_path):
    arguments += ["--optim", "sgd", "--learning_rate", "1", "--warmup_steps", "0", "--max_grad_norm", "0"]
    arguments += ["--max_steps", "1", "--eval_strategy", "steps", "--eval_steps", "1", "--save_strategy", "no"]
    arguments += ["--load_best_model_at_end", "false", "--gradient_accumulation_steps", "1"]
    alone = prepare_job(*parse_args([*arguments, "--output_dir", str(tmp_path / "1")]))
    start = {name: value.clone() for name, value in alone.model.state_dict().items()}
    report = train(alone)
    two = run([*arguments, "--output_dir", str(tmp_path / "2")], TWO_PROCESSES, ACCELERATE_USE_CPU="true")
    assert two.returncode == 0, two.stderr
    trained = json.loads((tmp_path / "2" / "training.json").read_text())
    assert (trained["batch_size"], trained["hardware"]["processes"]) == (32, 2)
    both = json.loads((tmp_path / "2" / "metrics.json").read_text())

    end = {name: load_file(tmp_path / name / "model.safetensors") for name in ("1", "2")}
    fitted = {name: json.loads((tmp_path / name / "calibration.json").read_text()) for name in end}
    for head in ("emotion", "gender"):
        temperatures = [fitted[name][head]["temperature"] for name in end]
        assert temperatures[0] == pytest.approx(temperatures[1], rel=1e-3)
        for name, temperature in zip(end, temperatures, strict=True):  # back to what the step left
            for part in ("weight", "bias"):
                end[name][f"heads.{head}.{part}"] *= temperature
    names = [name for name in end["1"] if name in start]
    gradients = {run: torch.cat([(start[n] - end[run][n]).flatten() for n in names]) for run in end}
    assert gradients["1"].norm() > 1
    assert (gradients["1"] - gradients["2"]).abs().max() < 1e-6 * gradients["1"].norm()

    splits = alone.splits
    for task in ("emotion", "gender", "f0_mean"):
        labeled = sum(value is not None for value in splits["test"][task])
        assert both["tasks"][task]["clips"] == report["tasks"][task]["clips"] == labeled
    assert len(splits["test"]) % 2 == 1  # so that one clip was sent twice to fill the last batch
    assert two.stdout.count("emotion by corpus") == 1
    one_loss = re.search(r"'eval_loss_emotion': '([\d.]+)'", two.stdout).group(1)
    assert float(one_loss) > 0


def test_processes_that_cannot_share_the_effective_batch_are_refused(arguments, tmp_path):
    three = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "3")
    done = run([*arguments, "--output_dir", str(tmp_path / "run")], three, ACCELERATE_USE_CPU="true")
    assert done.returncode != 0
    assert "3 processes" in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_invalid_setting_is_one_line_without_a_traceback(arguments, tmp_path):
    arguments[1] = str(tmp_path / "nowhere")
    done = run([*arguments, "--output_dir", str(tmp_path / "run")])
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"train.py: {tmp_path / 'nowhere'}")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_torchrun_without_a_gpu_joins_its_processes(arguments, tmp_path):
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2")
    arguments += [
        "--max_steps",
        "1",
        "--eval_strategy",
        "no",
        "--save_strategy",
        "no",
        "--load_best_model_at_end",
        "false",
    ]
    done = run([*arguments, "--output_dir", str(tmp_path / "run")], torchrun)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "training.json").read_text())["hardware"]["processes"] == 2
    assert done.stdout.count("emotion by corpus") == 1
    evaluation = ["evaluate.py", str(tmp_path / "run"), *arguments[:2], "--output", str(tmp_path / "report")]
    done = subprocess.run(
        [*torchrun, *evaluation], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("emotion by corpus") == 1


def test_one_process_instead_of_several_is_refused(arguments, tmp_path):
    launch = (sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2")
    done = run([*arguments, "--output_dir", str(tmp_path / "run")], launch)
    assert done.returncode != 0
    assert "torchrun --nproc_per_node" in done.stderr
    assert not (tmp_path / "run").exists()


def test_joined_processes_train_a_sweep_together(arguments, tmp_path):
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2")
    arguments += [
        "--num_train_epochs",
        "1",
        "--sweep",
        "--sweep_learning_rate",
        "1e30",
        "1e-3",
        "--sweep_weight_decay",
        "0",
    ]
    done = run([*arguments, "--output_dir", str(tmp_path / "run")], torchrun)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "sweep.json").read_text())
    assert report["best"] == "lr1e-3-wd0"
    assert [point["state"] for point in report["points"]] == ["failed", "complete"]
    assert json.loads((tmp_path / "run" / "training.json").read_text())["hardware"]["processes"] == 2
    assert done.stdout.count("emotion by corpus") == 1
