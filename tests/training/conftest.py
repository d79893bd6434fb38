"""What the tests of trainings share: flags of a short one, and a backbone to start from."""

import copy
import functools
from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from preprocessing.prepared.load import load_prepared
from tests.conftest import TINY
from training.arguments.parse import parse_args
from training.job import prepare_job

TASKS = ["emotion", "gender", "language", "f0_mean", "energy_mean"]


@pytest.fixture(scope="session")
def _load_once(shared_folder):
    """Loads the prepared folder of all tests once, since it never changes; others as often as they are asked for."""
    once = functools.cache(load_prepared)

    def load(folder, protocol):
        if Path(folder) == shared_folder / "prepared":
            return copy.copy(once(folder, protocol))
        return load_prepared(folder, protocol)

    return load


@pytest.fixture(autouse=True, scope="module")
def _prepared_is_loaded_once(_load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.job.load_prepared", _load_once)
        yield


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
