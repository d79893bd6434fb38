"""The settings of `train.py` on the training itself: transformers' own, with the paper's recipe as defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import torch

from common.processes import must_join_on_cpu, num_processes_started

from .fine_tuning import FineTuningArguments
from .value_checks import check_combinations, check_values

MAIN_METRIC = "main"


@dataclass
class SERTrainingArguments(FineTuningArguments):
    """[`~transformers.TrainingArguments`] with the recipe of the paper, section 5, as defaults.

    They differ from transformers' in:

    - `learning_rate` 1e-4, `warmup_steps` 0.1 (a share of all steps), `num_train_epochs` 10;
    - `effective_batch_size`, an additional field: 32 clips, however many processes share them. The defaults of
      `per_device_train_batch_size` and `gradient_accumulation_steps` follow from it, from the device's memory and
      from the network, that of `train_sampling_strategy` from the network: see
      [`~training.arguments.batch_sizes.BatchSettings`].
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
