"""The settings of `train.py`: dataclasses, read from YAML files and flags, of which flags win."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import HfArgumentParser, TrainingArguments
from transformers.hf_argparser import string_to_bool

from common.command_line import FlagParser
from common.processes import must_join_on_cpu, num_processes_started

from .batch_arguments import BatchArguments
from .config_files import read_configs
from .publishing import PUBLISHING
from .supported import check_together, check_values

BEST_ROW = ("emotion", "gender", "language", "f0_mean")  # of the paper's Table 2
MAIN_METRIC = "main"


@dataclass
class DataArguments:
    """What is trained on."""

    data: str = field(metadata={"help": "Prepared folder, as prepare.py writes it."})
    protocol: str = field(
        default="paper",
        metadata={"help": "Which clips are in which split: a file in its splits/, such as speaker, or loco:CORPUS."},
    )


@dataclass
class ModelArguments:
    """What is trained."""

    architecture: str | None = field(
        default=None,
        metadata={
            "help": "wav2vec2; wav2vec2_layer_sum: a frozen backbone whose layers are summed with learned weights; "
            "panns: CNN14. Default: the checkpoint's own, or wav2vec2."
        },
    )
    model_name_or_path: str | None = field(
        default=None,
        metadata={
            "help": "Hub id or folder of a wav2vec 2.0 backbone (facebook/wav2vec2-large-xlsr-53), or a checkpoint of "
            "CNN14 (Cnn14_16k_mAP=0.438.pth), which get new heads, or a checkpoint of this project, which keeps its "
            "own."
        },
    )
    model_revision: str = field(default="main", metadata={"help": "Branch, tag or commit of a Hub repository."})
    config_name: str | None = field(
        default=None,
        metadata={"help": "Instead of model_name_or_path: JSON file of the network's config, to train from scratch."},
    )
    tasks: list[str] | None = field(
        default=None,
        metadata={
            "help": "What the heads predict: tasks of the paper, or columns of the data. NAME:classification or "
            "NAME:regression says which where a column of numbers holds classes; NAME:concordance is a regression "
            "learned by the concordance correlation, as valence, arousal and dominance are. Default: as in the "
            f"checkpoint, or the paper's best row, {' '.join(BEST_ROW)}."
        },
    )
    task_weights: list[str] = field(
        default_factory=list, metadata={"help": "NAME=WEIGHT: weights in the total loss, 1 where not given."}
    )
    new_heads: list[str] = field(
        default_factory=list, metadata={"help": "Tasks whose heads start anew in a checkpoint of this project."}
    )
    padding: str | None = field(
        default=None,
        metadata={
            "help": "masked: mean over the frames that hold audio; paper: zeros to 6 s and a mean over all frames. "
            "Default: masked, or the checkpoint's."
        },
    )
    freeze_feature_encoder: bool = field(
        default=True,
        metadata={
            "help": "Freeze wav2vec 2.0's convolutional encoder (paper, section 4); one of random weights is refused."
        },
    )
    layerdrop: float = field(default=0.0, metadata={"help": "Probability of skipping a transformer layer."})
    mask_time_prob: float = field(default=0.0, metadata={"help": "SpecAugment over time; 0 switches it off."})

    def __post_init__(self) -> None:
        if (self.model_name_or_path is None) == (self.config_name is None):
            raise ValueError(
                "Name what to train: --model_name_or_path (a backbone such as facebook/wav2vec2-large-xlsr-53, or a "
                "checkpoint), or --config_name to start from random weights; one of the two."
            )
        for name in ("layerdrop", "mask_time_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"--{name} {getattr(self, name)} is no probability: expected a number from 0 to 1.")

    def weights(self) -> dict[str, float]:
        """Task name -> weight in the loss.

        Raises:
            ValueError: an entry is not `NAME=WEIGHT`, or a task has two.
        """
        weights = {}
        for entry in self.task_weights:
            name, _, weight = entry.partition("=")
            if name in weights:
                raise ValueError(f"--task_weights {entry}: the task {name} has a weight already; give one.")
            try:
                weights[name] = float(weight)
            except ValueError:
                raise ValueError(f"--task_weights takes NAME=WEIGHT, such as gender=0.5; got {entry!r}.") from None
        return weights


@dataclass
class SweepArguments:
    """Whether a grid is trained, and which: by default that of the paper, section 5."""

    sweep: bool = field(
        default=False,
        metadata={
            "help": "Train every point of the grid below, and keep the best on the validation clips. The same command "
            "goes on with it; several at once share it."
        },
    )
    sweep_learning_rate: list[float] = field(
        default_factory=lambda: [1e-4, 1e-3], metadata={"help": "Peak learning rates of the grid."}
    )
    sweep_weight_decay: list[float] = field(
        default_factory=lambda: [0.0, 1e-5, 1e-4], metadata={"help": "Weight decays of the grid."}
    )

    def __post_init__(self) -> None:
        for name in ("sweep_learning_rate", "sweep_weight_decay"):
            values = getattr(self, name)
            if not values or len({*values}) < len(values) or not all(0 <= value < math.inf for value in values):
                raise ValueError(f"--{name} takes one or more numbers from 0 up, each once; got {values}.")


@dataclass
class SERTrainingArguments(BatchArguments):
    """[`~transformers.TrainingArguments`] with the recipe of the paper, section 5, as defaults.

    They differ from transformers' in:

    - `learning_rate` 1e-4, `warmup_steps` 0.1 (a share of all steps), `num_train_epochs` 10;
    - `effective_batch_size`, which is ours: 32 clips, however many processes share them. What is not given of
      `per_device_train_batch_size` and `gradient_accumulation_steps` follows from it, and `train_sampling_strategy`
      from the network: see [`BatchSettings`]. `auto_find_batch_size` and what else would change the batch is refused;
    - `bf16` where the GPU has it; fp16 is refused, because XLSR-53 overflows in it;
    - `label_smoothing_factor` is refused;
    - `push_to_hub`, which becomes `publish_to`, and what belongs to it: see [`PublishingArguments`];
    - `eval_strategy` and `save_strategy` `"epoch"`, `save_total_limit` 2, `load_best_model_at_end` by
      `metric_for_best_model`, which is by default the weighted F1 of emotion averaged over corpora;
    - `dataloader_num_workers` 2, `report_to` `"tensorboard"`, `logging_steps` 20, `remove_unused_columns` False.

    `early_stopping_patience`, `calibrate` and the value `latest` of `resume_from_checkpoint` are ours.
    """

    learning_rate: float = field(default=1e-4, metadata={"help": "Peak learning rate."})
    warmup_steps: float = field(default=0.1, metadata={"help": "Steps of linear warm-up; below 1, a share of all."})
    num_train_epochs: float = field(default=10.0, metadata={"help": "Passes over the training clips."})
    bf16: bool | None = field(default=None, metadata={"help": "bfloat16 mixed precision; by default where it works."})
    eval_strategy: str = field(default="epoch", metadata={"help": "When to evaluate: no, steps or epoch."})
    save_strategy: str = field(default="epoch", metadata={"help": "When to save: no, steps, epoch or best."})
    save_total_limit: int | None = field(default=2, metadata={"help": "Checkpoints to keep, the best among them."})
    load_best_model_at_end: bool = field(default=True, metadata={"help": "End with the best checkpoint."})
    dataloader_num_workers: int = field(default=2, metadata={"help": "Processes that decode clips."})
    # In this order for HfArgumentParser.
    report_to: None | str | list[str] = field(  # noqa: RUF036
        default="tensorboard", metadata={"help": "Where to log, or none."}
    )
    logging_steps: float = field(default=20, metadata={"help": "Steps between two lines of the log."})
    remove_unused_columns: bool | None = field(default=False, metadata={"help": "Has to be false."})
    metric_for_best_model: str | None = field(
        default=MAIN_METRIC,
        metadata={"help": "main (weighted F1, or CCC, of the main task), loss, loss_TASK, or TASK_METRIC."},
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Evaluations without a better score before training stops; None: never."}
    )
    calibrate: bool = field(
        default=True,
        metadata={"help": "Fit a temperature for every classification on the validation clips when training ends."},
    )

    def __post_init__(self) -> None:
        num_processes = num_processes_started()
        self.use_cpu |= must_join_on_cpu()  # else each process would take itself for the only one
        check_values(self)
        self._choose_precision()
        self.dataloader_pin_memory &= torch.cuda.is_available()  # elsewhere it does nothing but warn
        super().__post_init__()
        check_together(self)
        if self.world_size != num_processes:
            raise ValueError(f"{num_processes} processes were started, and {self.world_size} of them found each other.")
        if self.n_gpu > 1:
            raise ValueError(
                f"One process sees {self.n_gpu} GPUs. Start one process for each with `accelerate launch train.py …`, "
                "or show it a single one with CUDA_VISIBLE_DEVICES=0."
            )

    def _choose_precision(self) -> None:
        """Sets `bf16` where it was left open, by what `accelerate launch` says, or by what the hardware has."""
        launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
        if launched not in ("no", "bf16") or (launched == "bf16" and self.bf16 is False):
            raise ValueError(
                f"accelerate launch --mixed_precision {launched} does not go with --bf16 {self.bf16}: XLSR-53 "
                "overflows in fp16, and other precisions are not supported. Use bf16 for both, or no."
            )
        if self.bf16 is None:
            on_gpu = not self.use_cpu and torch.cuda.is_available()
            self.bf16 = launched == "bf16" or (on_gpu and torch.cuda.is_bf16_supported(including_emulation=False))


class SettingsParser(FlagParser, HfArgumentParser):
    """The parser of all settings, of which every one that is true or false may stand without a value, for true."""

    def __init__(self) -> None:
        super().__init__(
            (DataArguments, ModelArguments, SERTrainingArguments, SweepArguments),
            prog="train.py",
            usage="train.py --data DIR --output_dir DIR (--model_name_or_path NAME | --config_name FILE) [--FLAG …]\n"
            "       train.py --config FILE … [--FLAG …]\nAll flags: train.py --help",
            description="Prepared folder -> checkpoint.",
            allow_abbrev=False,
        )
        for action in self._actions:
            if action.type is string_to_bool:
                action.nargs, action.const = "?", True
        self.add_argument("--config", nargs="+", metavar="FILE", help="YAML files of the settings below; flags win")


def parse_args(
    argv: Sequence[str] | None = None,
) -> tuple[DataArguments, ModelArguments, SERTrainingArguments, SweepArguments, dict[str, Any]]:
    """Reads `--config` files and flags; a later file wins over an earlier one, and flags over files.

    What to start from is one setting with two names: where `config_name` is given, an earlier `model_name_or_path` is
    forgotten, and the other way round.

    Returns:
        The four groups of settings, and all settings but those that have the default of transformers and of this
        project, as plain values: `--config` with them runs the same training again. Where it is published to is not
        among them, nor is a sweep: each of its points is a training.

    Raises:
        ValueError: a file or a setting is wrong; the message says which.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    files = argparse.ArgumentParser(prog="train.py", add_help=False, allow_abbrev=False)
    files.add_argument("--config", nargs="+", default=[])
    config, flags = files.parse_known_args(argv)
    parser = SettingsParser()
    words = [*read_configs(config.config, flags, parser), *flags]
    namespace = vars(parser.parse_args(words))
    *groups, _ = parser.parse_args_into_dataclasses(words, look_for_args_file=False)
    theirs, ours = (
        {entry.name: entry.default for entry in dataclasses.fields(kind)}
        for kind in (TrainingArguments, SERTrainingArguments)
    )
    left_out = {"config", "resume_from_checkpoint", *PUBLISHING, *(e.name for e in dataclasses.fields(SweepArguments))}
    settings = {
        name: value
        for name, value in namespace.items()
        if name not in left_out and value is not None and not (name in theirs and theirs[name] == ours[name] == value)
    }
    return *groups, settings
