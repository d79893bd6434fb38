"""The settings of `train.py` on data, model and repetitions: a dataclass each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from modeling import ARCHITECTURES
from preprocessing.augmentation.transforms import TRANSFORMS, check_names

BEST_ROW = ("emotion", "gender", "language", "f0_mean")  # of the paper's Table 2


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
