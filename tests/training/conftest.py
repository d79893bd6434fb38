"""What the tests of trainings share: flags of a short one, and a backbone to start from."""

from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from tests.conftest import TINY
from training.arguments.parse import parse_args
from training.job import prepare_job

TASKS = ["emotion", "gender", "language", "f0_mean", "energy_mean"]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory) -> Path:
    """A pre-trained backbone, as the Hub has them."""
    folder = tmp_path_factory.mktemp("pretrained")
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(folder)
    return folder


@pytest.fixture
def arguments(prepared, backbone_config, tmp_path) -> list[str]:
    """Flags of a short training from random weights."""
    return flags(prepared, backbone_config, tmp_path / "run")


def flags(prepared: Path, config: Path, output: Path) -> list[str]:
    return [
        *("--data", str(prepared), "--output_dir", str(output), "--config_name", str(config)),
        *("--tasks", *TASKS, "--num_train_epochs", "1", "--report_to", "none", "--dataloader_num_workers", "0"),
        *("--disable_tqdm", "true", "--freeze", "none"),
    ]


def job(arguments):
    return prepare_job(*parse_args(arguments))


def start_from(arguments, *start) -> list[str]:
    """The flags with another start than the config of `arguments`."""
    place = arguments.index("--config_name")
    return [*arguments[:place], *start, *arguments[place + 2 :]]
