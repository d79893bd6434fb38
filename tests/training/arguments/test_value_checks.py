"""Every field of transformers' `TrainingArguments` with an odd value: a training works with it, or it is refused."""

import dataclasses
import json

import pytest
from transformers import TrainingArguments

from tests.support.trainings import REQUIRED_FLAGS
from tests.training.conftest import job
from training.arguments.parse import parse_args
from training.arguments.training_arguments import SERTrainingArguments
from training.arguments.value_checks import RULES
from training.run import train

CHECKPOINTING = '{"use_reentrant": false}'

# Field -> values that are refused before anything is loaded.
REFUSED = {
    "effective_batch_size": ["0"],
    "per_device_train_batch_size": ["0", "-1"],
    "per_device_eval_batch_size": ["0"],
    "gradient_accumulation_steps": ["0", "-4"],
    "num_train_epochs": ["0", "-1", "nan", "inf"],
    "max_steps": ["0", "-2"],
    "learning_rate": ["0", "-1", "nan", "inf"],  # 0: nothing would be learned
    "output_dir": ["", " "],
    "weight_decay": ["-1", "nan"],
    "warmup_steps": ["-1", "nan"],
    "adam_beta1": ["1", "-0.1", "nan"],
    "adam_beta2": ["1.5"],
    "adam_epsilon": ["-1"],
    "max_grad_norm": ["-1", "nan"],
    "lr_scheduler_type": ["cosine_with_min_lr", "warmup_stable_decay"],  # which need lr_scheduler_kwargs
    "lr_scheduler_kwargs": ["min_lr", "{min_lr", "[1]"],
    "optim": ["adamw_bnb_8bit", "galore_adamw", "lomo", "schedule_free_adamw", "grokadamw", "adamw_apex_fused"],
    "optim_args": ["no_such", "momentum"],
    "optim_target_modules": ["all-linear"],
    "activation_checkpointing_kwargs": ["true", '{"no_such": 1}'],
    "gradient_checkpointing_kwargs": ["{", '{"no_such": 1}'],
    "eval_strategy": ["never", "no"],  # no: there would be no best checkpoint
    "save_strategy": ["never", "no", "steps"],
    "logging_strategy": ["never"],
    "eval_steps": ["0", "-1", "nan"],
    "save_steps": ["0", "-1"],
    "logging_steps": ["0", "-1"],
    "eval_delay": ["-1", "11"],  # of 10 epochs
    "eval_accumulation_steps": ["0"],
    "torch_empty_cache_steps": ["0"],
    "save_total_limit": ["0", "-1"],
    "seed": ["-1", str(2**32)],
    "data_seed": ["1"],
    "log_level": ["loud"],
    "log_level_replica": ["loud"],
    "report_to": ["wandb", "no_such"],
    "train_sampling_strategy": ["shortest"],
    "dataloader_num_workers": ["-1"],
    "dataloader_prefetch_factor": ["0"],
    "dataloader_multiprocessing_context": ["thread"],
    "ddp_bucket_cap_mb": ["0"],
    "ddp_timeout": ["0"],
    "ddp_backend": ["no_such", "gloo"],
    "bf16": ["true"],  # on this CPU, unless --use_cpu
    "fp16": ["true"],
    "bf16_full_eval": ["true"],
    "fp16_full_eval": ["true"],
    "tf32": ["true"],
    "remove_unused_columns": ["true"],
    "label_names": ["labels"],
    "label_smoothing_factor": ["0.1"],
    "average_tokens_across_devices": ["false"],
    "accelerator_config": ['{"split_batches": true}', "{"],
    "parallelism_config": ["x"],
    "auto_find_batch_size": ["true"],
    "dataloader_drop_last": ["true"],
    "eval_do_concat_batches": ["false"],
    "eval_use_gather_object": ["true"],
    "prediction_loss_only": ["true"],
    "batch_eval_metrics": ["true"],
    "include_for_metrics": ["inputs"],
    "include_num_input_tokens_seen": ["true"],
    "length_column_name": ["duration"],
    "greater_is_better": ["false"],
    "torch_compile": ["true"],
    "torch_compile_backend": ["inductor"],
    "torch_compile_mode": ["default"],
    "use_liger_kernel": ["true"],
    "liger_kernel_config": ['{"rope": true}'],
    "use_cache": ["true"],
    "neftune_noise_alpha": ["5"],
    "fsdp": ["full_shard"],
    "fsdp_config": ["x.json"],
    "deepspeed": ["x.json"],
    "enable_jit_checkpoint": ["true"],
    "debug": ["underflow_overflow", "no_such"],
    "do_train": ["true"],
    "do_eval": ["true"],
    "do_predict": ["true"],
    "trackio_space_id": ["x"],
    "trackio_bucket_id": ["x"],
    "trackio_static_space_id": ["x"],
    "hub_token": ["secret"],
    "hub_revision": ["x"],
    "hub_strategy": ["checkpoint"],
    "hub_always_push": ["true"],
}
SECRET = {"hub_token"}
OFF = {"load_best_model_at_end": "false"}
# Trainings of a few steps, each with odd values that go together.
WORKING = [
    {
        "optim": "adafactor",
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": '{"min_lr": 1e-6}',
        "max_grad_norm": "0",
        "warmup_steps": "1",
        "eval_accumulation_steps": "1",
        "logging_first_step": "true",
        "logging_nan_inf_filter": "false",
        "log_on_each_node": "false",
        "log_level": "error",
        "log_level_replica": "error",
        "report_to": "tensorboard",
        "run_name": "odd",
        "project": "odd",
        "disable_tqdm": "false",
        "train_sampling_strategy": "random",
        "torch_empty_cache_steps": "1",
        "save_on_each_node": "true",
    },
    {
        "optim": "sgd",
        "optim_args": "momentum=0.9",
        "lr_scheduler_type": "reduce_lr_on_plateau",
        "eval_strategy": "steps",
        "eval_steps": "2",
        "save_strategy": "best",
        "eval_on_start": "true",
        "metric_for_best_model": "loss",
        "per_device_eval_batch_size": "7",
        "train_sampling_strategy": "sequential",
        "activation_checkpointing": "true",
        "activation_checkpointing_kwargs": CHECKPOINTING,
        "skip_memory_metrics": "false",
        "ignore_data_skip": "true",
        "restore_callback_states_from_checkpoint": "true",
    },
    {
        "eval_strategy": "steps",
        "eval_steps": "0.5",
        "save_strategy": "steps",
        "save_steps": "0.5",
        "save_total_limit": "1",
        "save_only_model": "true",
        "gradient_checkpointing": "true",
        "gradient_checkpointing_kwargs": CHECKPOINTING,
        "logging_strategy": "epoch",
        "full_determinism": "true",
        "tf32": "false",
        "use_cpu": "true",
        "adam_beta1": "0",
        "adam_beta2": "0.5",
        "adam_epsilon": "1e-6",
        "weight_decay": "0.1",
        "seed": "0",
        "ddp_find_unused_parameters": "true",
        "ddp_bucket_cap_mb": "1",
        "ddp_broadcast_buffers": "false",
        "ddp_static_graph": "false",
        "ddp_timeout": "60",
        "local_rank": "0",
    },
    {
        **OFF,
        "eval_strategy": "no",
        "save_strategy": "no",
        "max_steps": "2",
        "logging_strategy": "no",
        "dataloader_num_workers": "1",
        "dataloader_persistent_workers": "true",
        "dataloader_prefetch_factor": "1",
        "dataloader_multiprocessing_context": "fork",
        "dataloader_pin_memory": "true",
        "dataloader_in_order": "false",
    },
    {**OFF, "eval_strategy": "epoch", "eval_delay": "1", "save_strategy": "epoch", "logging_steps": "0.5"},
]
# Where they are tested: publishing, going on, and settings of every training here.
ELSEWHERE = {"push_to_hub", "hub_model_id", "hub_private_repo", "resume_from_checkpoint"}


def test_every_field_is_classified():
    fields = {field.name for field in dataclasses.fields(TrainingArguments) if field.init}
    working = {name for settings in WORKING for name in settings}
    assert fields - {*REFUSED, *working, *ELSEWHERE} == set()  # of a new version: does it work, or is it refused?
    assert {*REFUSED, *working, *ELSEWHERE} <= fields | {"effective_batch_size"}


def test_every_rule_is_of_a_setting_and_allows_its_default():
    defaults = {field.name: field.default for field in dataclasses.fields(SERTrainingArguments)}
    assert RULES.keys() <= defaults.keys()
    SERTrainingArguments("out")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_an_unsupported_value_is_refused_with_its_flag(name, value, capsys):
    with pytest.raises((ValueError, SystemExit)) as error:
        parse_args([*REQUIRED_FLAGS, f"--{name}", value])
    message = f"{error.value} {capsys.readouterr().err}"
    assert f"--{name}" in message
    assert (value.lower() in message.lower()) == (name not in SECRET)


@pytest.mark.parametrize("settings", WORKING)
@pytest.mark.slow
def test_supported_values_train(arguments, tmp_path, settings):
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    train(job([*arguments, "--tasks", "emotion", "--gradient_accumulation_steps", "2", "--calibrate", "false", *flags]))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["tasks"]["emotion"]["clips"] > 0


def test_arguments_that_a_scheduler_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r"--lr_scheduler_kwargs.*no_such"):
        parse_args([*REQUIRED_FLAGS, "--lr_scheduler_kwargs", '{"no_such": 1}'])


@pytest.mark.parametrize("precision", ["fp16", "fp8"])
def test_a_precision_that_the_launcher_sets_is_checked_too(monkeypatch, precision):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", precision)
    with pytest.raises(ValueError, match=precision):
        parse_args(REQUIRED_FLAGS)


def test_a_setting_that_is_true_or_false_stands_without_a_value(arguments):
    _, _, args, _, _ = parse_args(
        [*REQUIRED_FLAGS, "--bf16", "--use_cpu", "--ddp_find_unused_parameters", "--seed", "3"]
    )
    assert (args.bf16, args.use_cpu, args.ddp_find_unused_parameters, args.seed) == (True, True, True, 3)
