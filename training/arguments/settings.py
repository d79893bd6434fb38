"""The settings of `train.py`: one dataclass for data, model, training and sweep each."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any

import torch

from common.processes import must_join_on_cpu, num_processes_started
from modeling import ARCHITECTURES
from preprocessing.augmentation.transforms import TRANSFORMS, check_names

from .fine_tuning import FineTuningArguments
from .value_checks import check_combinations, check_values

BEST_ROW = ("emotion", "gender", "language", "f0_mean")  # of the paper's Table 2
MAIN_METRIC = "main"


@dataclass
class DataArguments:
    """The data to train on."""

    data: str = field(metadata={"help": "Prepared folder, as prepare.py writes it."})
    protocol: str = field(
        default="paper",
        metadata={
            "help": "Which clips are in which split: a file in its splits/, such as speaker, or loco:CORPUS; "
            "folds:K trains K folds of speakers, and folds:5/2 one of them; lolo:LOCALE; fewshot:CORPUS:K."
        },
    )
    augment: list[str] = field(
        default_factory=list,
        metadata={
            "help": f"Transforms that change training clips at random, anew in every epoch: {', '.join(TRANSFORMS)}."
        },
    )
    augment_probability: float = field(
        default=0.25, metadata={"help": "Probability of each transform of augment, for each clip."}
    )

    def __post_init__(self) -> None:
        try:
            check_names(self.augment)
        except ValueError as error:
            raise ValueError(f"--augment: {error}") from error
        if not 0 < self.augment_probability <= 1:
            raise ValueError(
                f"--augment_probability {self.augment_probability} is out of range: expected above 0 and at most 1."
            )


@dataclass
class ModelArguments:
    """The model to train."""

    architecture: str | None = field(
        default=None,
        metadata={
            "help": f"{', '.join(ARCHITECTURES)} (CNN14). It is optional: the checkpoint, or the model_type of "
            "config_name, determines it; another value is refused."
        },
    )
    model_name_or_path: str | None = field(
        default=None,
        metadata={
            "help": "Hub id or folder of a pre-trained encoder (facebook/wav2vec2-large-xlsr-53, openai/whisper-base), "
            "or a checkpoint of CNN14 (Cnn14_16k_mAP=0.438.pth), which get new heads, or a checkpoint of this "
            "project, which keeps its own."
        },
    )
    model_revision: str = field(default="main", metadata={"help": "Branch, tag or commit of a Hub repository."})
    base_model: str | None = field(
        default=None,
        metadata={
            "help": "Hub id of the backbone of which the folder model_name_or_path is a copy: the card gives its name "
            "and license."
        },
    )
    config_name: str | None = field(
        default=None,
        metadata={"help": "Instead of model_name_or_path: JSON file of the network's config, to train from scratch."},
    )
    tasks: list[str] | None = field(
        default=None,
        metadata={
            "help": "What the heads predict: tasks of the paper, or columns of the data. NAME:classification or "
            "NAME:regression sets the kind, for a column of numbers that holds classes; NAME:concordance is a "
            "regression "
            "with a concordance correlation loss, as for valence, arousal and dominance; NAME:soft is a classification "
            "with the annotators' votes, columns NAME:LABEL of the data. Default: as in the "
            f"checkpoint, or the paper's best row, {' '.join(BEST_ROW)}."
        },
    )
    task_weights: list[str] = field(
        default_factory=list, metadata={"help": "NAME=WEIGHT: weights in the total loss, 1 by default."}
    )
    reset_heads: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Tasks whose heads start from random weights although the checkpoint of this project has them."
        },
    )
    padding: str | None = field(
        default=None,
        metadata={
            "help": "masked: mean over the frames that hold audio; paper: zeros to 6 s and a mean over all frames. "
            "Default: masked, or the checkpoint's."
        },
    )
    layers: list[str] | None = field(
        default=None,
        metadata={
            "help": "Layers of the encoder: last pools the output of the last one, weighted a learned weighted mean of "
            "all; a number keeps the lowest N layers alone, so that the checkpoint is smaller and faster. `--layers "
            "4 weighted` does both. Default: last, or the checkpoint's."
        },
    )
    pooling: str | None = field(
        default=None,
        metadata={
            "help": "Over time: mean, or attentive_statistics, a mean and standard deviation with learned weights of "
            "frames. Default: mean, or the checkpoint's."
        },
    )
    dense_layers: list[int] | None = field(
        default=None,
        metadata={"help": "Widths of dense layers between encoder and pooling. Default: none, or the checkpoint's."},
    )
    freeze: str = field(
        default="feature_encoder",
        metadata={
            "help": "What of the encoder is not trained: feature_encoder (its convolutions; paper, section 4), encoder "
            "(all), none, or N: the lowest N layers and all below them. Refused where these weights are random."
        },
    )
    layerdrop: float = field(default=0.0, metadata={"help": "Probability of skipping a transformer layer."})
    mask_time_prob: float = field(default=0.0, metadata={"help": "SpecAugment over time; 0 switches it off."})

    def __post_init__(self) -> None:
        if (self.model_name_or_path is None) == (self.config_name is None):
            raise ValueError(
                "Exactly one of --model_name_or_path (a backbone such as facebook/wav2vec2-large-xlsr-53, or a "
                "checkpoint) "
                "and --config_name (random weights) is required."
            )
        self.layer_options()
        for name in ("layerdrop", "mask_time_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"--{name} {getattr(self, name)} is not a valid probability: expected a number from 0 to 1."
                )

    def layer_options(self) -> dict[str, Any]:
        """`--layers` as fields of a model: `num_layers` and `layer_weights`, those that it states.

        Raises:
            ValueError: it is not `last`, `weighted` or a number, or has two of a kind.
        """
        options: dict[str, Any] = {}
        for entry in self.layers or ():
            name = "num_layers" if entry.isdecimal() else "layer_weights"
            if name in options or (name == "layer_weights" and entry not in ("last", "weighted")):
                raise ValueError(
                    f"--layers {' '.join(self.layers or ())} is not valid: expected last or weighted, a number of "
                    "layers to keep, or both, such as 4 weighted."
                )
            options[name] = int(entry) if name == "num_layers" else entry == "weighted"
        return options

    def weights(self) -> dict[str, float]:
        """Task name -> weight in the loss.

        Raises:
            ValueError: an entry is not `NAME=WEIGHT`, or a task has two.
        """
        weights = {}
        for entry in self.task_weights:
            name, _, weight = entry.partition("=")
            if name in weights:
                raise ValueError(f"--task_weights {entry}: the task {name} already has a weight; each task takes one.")
            try:
                weights[name] = float(weight)
            except ValueError:
                raise ValueError(
                    f"--task_weights {entry!r} is not valid: expected NAME=WEIGHT, such as gender=0.5."
                ) from None
        return weights


@dataclass
class QueueArguments:
    """Several trainings of one command: repetitions with other seeds, or a grid, by default the paper's (section 5)."""

    seeds: list[int] = field(
        default_factory=list,
        metadata={
            "help": "Train once with each of these seeds, instead of --seed, and report them as one model. As with "
            "--protocol folds:5, the same command resumes it, and several processes that run it share the trainings."
        },
    )

    sweep: bool = field(
        default=False,
        metadata={
            "help": "Train every point of the grid below, and keep the one with the best validation score. The same "
            "command resumes it; several processes that run it share the points."
        },
    )
    sweep_learning_rate: list[float] = field(
        default_factory=lambda: [1e-4, 1e-3], metadata={"help": "Peak learning rates of the grid."}
    )
    sweep_weight_decay: list[float] = field(
        default_factory=lambda: [0.0, 1e-5, 1e-4], metadata={"help": "Weight decays of the grid."}
    )
    sweep_storage: str | None = field(
        default=None,
        metadata={
            "help": "Database in which processes on several machines share a sweep, seeds or folds, such as "
            "postgresql+psycopg://USER@HOST/NAME, with output_dir in a shared folder. Default: a file in output_dir."
        },
    )

    def __post_init__(self) -> None:
        for name in ("sweep_learning_rate", "sweep_weight_decay"):
            values = getattr(self, name)
            if not values or len({*values}) < len(values) or not all(0 <= value < math.inf for value in values):
                raise ValueError(
                    f"--{name} {values} is not valid: expected one or more distinct numbers of at least 0."
                )
        if len({*self.seeds}) < len(self.seeds) or not all(0 <= seed < 2**32 for seed in self.seeds):
            raise ValueError(
                f"--seeds {self.seeds} is not valid: expected distinct whole numbers from 0 to {2**32 - 1}."
            )


@dataclass
class SERTrainingArguments(FineTuningArguments):
    """[`~transformers.TrainingArguments`] with the recipe of the paper, section 5, as defaults.

    They differ from transformers' in:

    - `learning_rate` 1e-4, `warmup_steps` 0.1 (a share of all steps), `num_train_epochs` 10;
    - `effective_batch_size`, an additional field: 32 clips, however many processes share them. The defaults of
      `per_device_train_batch_size` and `gradient_accumulation_steps` follow from it, that of
      `train_sampling_strategy` from the network: see [`~training.arguments.batch_sizes.BatchSettings`].
      `auto_find_batch_size` and other settings that would change the batch are refused;
    - `corpus_temperature`, an additional field: sampling over corpora, see
      [`~training.corpus_sampling.CorpusSampling`];
    - `bf16` where the GPU has it; fp16 is refused, because XLSR-53 overflows in it;
    - `label_smoothing_factor` is refused;
    - `push_to_hub`, which becomes `publish_to`, and the settings that belong to it: see
      [`~training.arguments.hub.HubArguments`];
    - `head_learning_rate`, `layer_decay`, `lora_rank` and `lora_alpha`, which are additions: see
      [`~training.arguments.fine_tuning.FineTuningArguments`];
    - `eval_strategy` and `save_strategy` `"epoch"`, `save_total_limit` 2, `load_best_model_at_end` by
      `metric_for_best_model`, which is by default the weighted F1 of emotion averaged over corpora;
    - `dataloader_num_workers` 2, `report_to` `"tensorboard"`, `logging_steps` 20, `remove_unused_columns` False.

    `early_stopping_patience`, `calibrate`, `recipe_of` and the value `latest` of `resume_from_checkpoint` are
    additions.
    """

    learning_rate: float = field(default=1e-4, metadata={"help": "Peak learning rate."})
    warmup_steps: float = field(default=0.1, metadata={"help": "Steps of linear warm-up; below 1, a share of all."})
    num_train_epochs: float = field(default=10.0, metadata={"help": "Passes over the training clips."})
    bf16: bool | None = field(  # type: ignore[assignment]
        default=None, metadata={"help": "bfloat16 mixed precision; by default where it works."}
    )
    eval_strategy: str = field(default="epoch", metadata={"help": "When to evaluate: no, steps or epoch."})
    save_strategy: str = field(default="epoch", metadata={"help": "When to save: no, steps, epoch or best."})
    save_total_limit: int | None = field(default=2, metadata={"help": "Checkpoints to keep, the best among them."})
    load_best_model_at_end: bool = field(default=True, metadata={"help": "End with the best checkpoint."})
    dataloader_num_workers: int = field(default=2, metadata={"help": "Processes that decode clips."})
    # In this order for HfArgumentParser.
    report_to: None | str | list[str] = field(  # noqa: RUF036
        default="tensorboard", metadata={"help": "Loggers of the training, or none."}
    )
    logging_steps: float = field(default=20, metadata={"help": "Steps between two lines of the log."})
    remove_unused_columns: bool | None = field(  # type: ignore[assignment]
        default=False, metadata={"help": "Only false is supported."}
    )
    metric_for_best_model: str | None = field(
        default=MAIN_METRIC,
        metadata={"help": "main (weighted F1, or CCC, of the main task), loss, loss_TASK, or TASK_METRIC."},
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Evaluations without a better score before training stops; None: never."}
    )
    calibrate: bool = field(
        default=True,
        metadata={
            "help": "Fit the temperature of every classification head on the validation clips after training; of folds "
            "on the test clips of the others."
        },
    )
    recipe_of: str | None = field(
        default=None,
        metadata={
            "help": "Folder of the same training on folds, for --protocol all, which has no validation and no test: "
            "the model gets the temperatures of their pooled predictions, and their metrics.json."
        },
    )

    def __post_init__(self) -> None:
        num_processes = num_processes_started()
        self.use_cpu |= must_join_on_cpu()  # otherwise each process would train alone
        check_values(self)
        self._choose_precision()
        self.dataloader_pin_memory &= torch.cuda.is_available()  # without a GPU it has no effect but a warning
        super().__post_init__()
        check_combinations(self)
        if self.world_size != num_processes:
            raise ValueError(
                f"{num_processes} processes were started, but only {self.world_size} joined the process group."
            )
        if self.n_gpu > 1:
            raise ValueError(
                f"One process sees {self.n_gpu} GPUs. Start one process per GPU with `accelerate launch "
                "train.py …`, or make "
                "a single GPU visible with CUDA_VISIBLE_DEVICES=0."
            )

    def _choose_precision(self) -> None:
        """Sets `bf16`, if not given, to the precision of `accelerate launch`, or to what the hardware supports."""
        launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
        if launched not in ("no", "bf16") or (launched == "bf16" and self.bf16 is False):
            raise ValueError(
                f"accelerate launch --mixed_precision {launched} contradicts --bf16 {self.bf16}: XLSR-53 "
                "overflows in fp16, and other precisions are not supported. Set both to bf16, or both to no."
            )
        if self.bf16 is None:
            on_gpu = not self.use_cpu and torch.cuda.is_available()
            self.bf16 = launched == "bf16" or (on_gpu and torch.cuda.is_bf16_supported(including_emulation=False))
