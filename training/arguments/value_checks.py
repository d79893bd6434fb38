"""Which values of transformers' `TrainingArguments` are supported: one table, checked before anything is loaded."""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from transformers import Trainer, TrainingArguments, get_scheduler
from transformers.integrations.integration_utils import get_reporting_integration_callbacks
from transformers.trainer_utils import SchedulerType
from transformers.training_args import OptimizerNames, trainer_log_levels

from common.processes import num_processes_started

SAMPLING_STRATEGIES = ("group_by_length", "random", "sequential")


class Rule(NamedTuple):
    """The valid values of a setting.

    Args:
        allows: whether a value is valid.
        expected: the valid values and the reason; it completes the sentence "--flag value ...".
    """

    allows: Callable[[Any], bool]
    expected: str


def keep(value: object, why: str) -> Rule:
    """A setting that must keep its default; `None` and other empty values are equal."""
    return Rule(lambda given: given == value or not (given or value), f"is not supported, expected {value}: {why}")


def number(low: float, high: float = math.inf, *, above: bool = False) -> Rule:
    """`None`, or a finite number of at least `low` (or above it) and at most `high`."""
    wanted = f"{'above' if above else 'at least'} {low:g}" + (f" and at most {high:g}" if high < math.inf else "")
    return Rule(
        lambda given: (
            given is None or ((low < given if above else low <= given) and given <= high and given < math.inf)
        ),
        f"is out of range: expected a number {wanted}",
    )


def one_of(*values: str | None) -> Rule:
    """One of these strings."""
    return Rule(lambda given: given in values, f"is not one of {', '.join(value for value in values if value)}")


def mapping(*keys: str) -> Rule:
    """A JSON object; with no other keys than these, if any are given."""

    def allows(given: str | dict | None) -> bool:
        try:
            parsed = json.loads(given) if isinstance(given, str) else given
        except ValueError:
            return False
        return parsed is None or (isinstance(parsed, dict) and (not keys or parsed.keys() <= {*keys}))

    return Rule(allows, "is not a JSON object" + (f" of {', '.join(keys)}" if keys else ""))


_WHOLE = "models are saved, and their losses computed, unsharded; `accelerate launch` divides the clips"
_BATCHES = "it would change the number of clips of an update, which --effective_batch_size sets"
_HEADS = "the metrics need the predictions of every head for every clip"
_LENGTHS = "clips differ in length, and each new length would trigger a compilation"
_TEXT = "it is for text models"
_AUTOMATIC = "train.py always trains, and evaluates on the validation and test clips"
_HUB_LOGS = "the log is kept on this machine"
_HUB = "--push_to_hub publishes once, at the end, on the main branch, and publish.py --tag names a release"
_STEPS = ("no", "steps", "epoch")
_CHECKPOINTING = ("use_reentrant", "preserve_rng_state")

RULES: dict[str, Rule] = {
    "output_dir": Rule(lambda given: given is None or given.strip() != "", "is not the name of a folder"),
    "effective_batch_size": number(1),
    "per_device_train_batch_size": number(1),
    "per_device_eval_batch_size": number(1),
    "gradient_accumulation_steps": number(1),
    "num_train_epochs": number(0, above=True),
    "max_steps": Rule(
        lambda given: given == -1 or given >= 1,
        "is out of range: expected -1, which is --num_train_epochs, or at least 1",
    ),
    "learning_rate": number(0, above=True),
    "head_learning_rate": number(0, above=True),
    "layer_decay": number(0, 1, above=True),
    "lora_rank": number(0),
    "lora_alpha": number(0, above=True),
    "weight_decay": number(0),
    "warmup_steps": number(0),
    "adam_beta1": Rule(lambda given: 0 <= given < 1, "is out of range: expected a number from 0 to below 1"),
    "adam_beta2": Rule(lambda given: 0 <= given < 1, "is out of range: expected a number from 0 to below 1"),
    "adam_epsilon": number(0),
    "max_grad_norm": number(0),
    "lr_scheduler_kwargs": mapping(),
    "activation_checkpointing_kwargs": mapping(*_CHECKPOINTING),
    "gradient_checkpointing_kwargs": mapping(*_CHECKPOINTING),
    "eval_strategy": one_of(*_STEPS),
    "save_strategy": one_of(*_STEPS, "best"),
    "logging_strategy": one_of(*_STEPS),
    "eval_steps": number(0, above=True),
    "save_steps": number(0, above=True),
    "logging_steps": number(0, above=True),
    "eval_delay": number(0),
    "eval_accumulation_steps": number(1),
    "torch_empty_cache_steps": number(1),
    "save_total_limit": number(1),
    "early_stopping_patience": number(1),
    "seed": number(0, 2**32 - 1),
    "log_level": one_of(*trainer_log_levels),
    "log_level_replica": one_of(*trainer_log_levels),
    "train_sampling_strategy": one_of(None, *SAMPLING_STRATEGIES),
    "corpus_temperature": Rule(
        lambda given: 0 <= given <= 1,  # above 1, a small corpus could be left without a clip
        "is out of range: expected a number from 0 (the same number of clips of each corpus) to 1 (as they are). Where "
        "a publication raises the number of clips to the power of 1 / T, give 1 / T",
    ),
    "dataloader_num_workers": number(0),
    "dataloader_prefetch_factor": number(1),
    "dataloader_multiprocessing_context": one_of(None, *multiprocessing.get_all_start_methods()),
    "ddp_bucket_cap_mb": number(1),
    "ddp_timeout": number(1),
    "ddp_backend": one_of(None, "nccl", "gloo", "mpi", "xccl", "hccl", "cncl", "mccl", "tccl"),
    "fp16": keep(False, "XLSR-53 overflows in fp16. Use --bf16, or float32 where the hardware has no bfloat16"),
    "fp16_full_eval": keep(False, "XLSR-53 overflows in fp16"),
    "bf16_full_eval": keep(False, "an evaluation during training has the precision of the training"),
    "remove_unused_columns": keep(False, "the labels are in columns of the clips"),
    "label_names": keep(None, "the collator names the labels, one tensor per task"),
    "label_smoothing_factor": keep(0.0, "label smoothing supports models with one head only"),
    "average_tokens_across_devices": keep(True, "the loss counts clips over all processes"),
    "accelerator_config": keep(None, _BATCHES),
    "data_seed": keep(None, "--seed sets the order of the clips too"),
    "auto_find_batch_size": keep(False, _BATCHES),
    "dataloader_drop_last": keep(False, _HEADS),
    "eval_do_concat_batches": keep(True, _HEADS),
    "prediction_loss_only": keep(False, _HEADS),
    "batch_eval_metrics": keep(False, _HEADS),
    "include_for_metrics": keep([], "the metrics are computed from predictions and labels alone"),
    "eval_use_gather_object": keep(False, "predictions are tensors, and are gathered as such"),
    "length_column_name": keep("length", "clips are grouped by their column duration_s"),
    "greater_is_better": Rule(lambda given: given is None, "cannot be set: it follows from --metric_for_best_model"),
    "tf32": Rule(lambda given: not given or torch.cuda.is_available(), "needs an NVIDIA GPU"),
    "optim_target_modules": keep(None, "the optimizers that need it are not supported"),
    "torch_compile": keep(False, _LENGTHS),
    "torch_compile_backend": keep(None, _LENGTHS),
    "torch_compile_mode": keep(None, _LENGTHS),
    "use_liger_kernel": keep(False, _TEXT),
    "liger_kernel_config": keep(None, _TEXT),
    "use_cache": keep(False, _TEXT),
    "neftune_noise_alpha": keep(None, _TEXT),
    "include_num_input_tokens_seen": Rule(
        lambda given: given in ("no", False), f"is not supported, expected no: {_TEXT}"
    ),
    "fsdp": keep(None, _WHOLE),
    "fsdp_config": keep(None, _WHOLE),
    "deepspeed": keep(None, _WHOLE),
    "parallelism_config": keep(None, _WHOLE),
    "enable_jit_checkpoint": keep(False, "--save_strategy sets when checkpoints are saved"),
    "debug": keep("", "it supports tensors only, and the heads' outputs are mappings of them"),
    "do_train": keep(False, _AUTOMATIC),
    "do_eval": keep(False, _AUTOMATIC),
    "do_predict": keep(False, _AUTOMATIC),
    "hub_revision": keep(None, _HUB),
    "hub_always_push": keep(False, _HUB),
    "hub_strategy": Rule(lambda given: given in ("every_save", "end"), f"is not supported, expected end: {_HUB}"),
    "trackio_space_id": keep(None, _HUB_LOGS),
    "trackio_bucket_id": keep(None, _HUB_LOGS),
    "trackio_static_space_id": keep(None, _HUB_LOGS),
}


def check_values(args: TrainingArguments) -> None:
    """Checks every setting by itself, as it was given, and those of evaluating and saving together.

    Raises:
        ValueError: a value is not supported; the message names the flag, the value and what is expected.
    """
    for name, rule in RULES.items():
        value = getattr(args, name)
        if not rule.allows(value):
            raise ValueError(f"--{name} {value} {rule.expected}.")
    if args.bf16 and not (args.use_cpu or torch.accelerator.is_available()):
        raise ValueError(
            f"--bf16 {args.bf16} needs a GPU, which this machine lacks; add --use_cpu to train on the CPU."
        )
    if args.ddp_backend and num_processes_started() == 1:
        raise ValueError(
            f"--ddp_backend {args.ddp_backend} is for several processes, but only one was started: remove the flag."
        )
    evaluation, saving = (f"--{name} {getattr(args, name)}" for name in ("eval_strategy", "save_strategy"))
    if args.eval_strategy == "no" and (args.load_best_model_at_end or args.save_strategy == "best"):
        raise ValueError(
            f"{evaluation} leaves no best checkpoint: add --load_best_model_at_end false, and remove {saving} if "
            "it is best."
        )
    if args.load_best_model_at_end and args.save_strategy not in (args.eval_strategy, "best"):
        raise ValueError(
            f"{saving} contradicts {evaluation}: the best evaluation needs its checkpoint. Set both to the same "
            "value, or use "
            "--save_strategy best or --load_best_model_at_end false."
        )


def check_combinations(args: TrainingArguments) -> None:
    """Checks combinations of settings, and settings that need packages, by building the optimizer and the scheduler.

    Args:
        args: the settings, completed by transformers.

    Raises:
        ValueError: they do not work together; the message names them.
    """
    if args.dataloader_num_workers == 0:
        for name in (
            "dataloader_persistent_workers",
            "dataloader_prefetch_factor",
            "dataloader_multiprocessing_context",
        ):
            if value := getattr(args, name):
                raise ValueError(f"--{name} {value} needs worker processes, but --dataloader_num_workers is 0.")
    if args.load_best_model_at_end and args.save_strategy == "steps" and args.save_steps != args.eval_steps:
        raise ValueError(
            f"--save_steps {args.save_steps} differs from --eval_steps {args.eval_steps}: with "
            "--load_best_model_at_end "
            "every evaluation needs its checkpoint. Set both to the same number, or use --save_strategy best."
        )
    last = args.max_steps if args.eval_strategy == "steps" else args.num_train_epochs
    if (
        args.load_best_model_at_end
        and args.eval_delay > last >= 0
        and (args.max_steps > 0) == (args.eval_strategy == "steps")
    ):
        raise ValueError(f"--eval_delay {args.eval_delay} is beyond the end, {last}: no evaluation would run.")
    _try("report_to", args.report_to, lambda: [kind() for kind in get_reporting_integration_callbacks(args.report_to)])
    settings = f"{OptimizerNames(args.optim).value}" + (f" --optim_args {args.optim_args}" if args.optim_args else "")
    optimizer = _try("optim", settings, lambda: _optimizer(args))
    scheduler = f"{SchedulerType(args.lr_scheduler_type).value} --lr_scheduler_kwargs {args.lr_scheduler_kwargs}"
    _try("lr_scheduler_type", scheduler, lambda: _schedule(args, optimizer))


def _optimizer(args: TrainingArguments) -> torch.optim.Optimizer:
    kind, options = Trainer.get_optimizer_cls_and_kwargs(args)
    return kind([torch.nn.Parameter(torch.zeros(1))], **options)


def _schedule(args: TrainingArguments, optimizer: torch.optim.Optimizer) -> None:
    get_scheduler(args.lr_scheduler_type, optimizer, 1, 10, cast(dict | None, args.lr_scheduler_kwargs))


def _try(flag: str, value: object, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # each package raises its own class where it is missing
        raise ValueError(f"--{flag} {value} does not work: {error}") from error
