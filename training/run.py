"""Training job -> checkpoint and its evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from accelerate.state import AcceleratorState
from datasets import Dataset
from transformers import EarlyStoppingCallback, EvalPrediction, TrainerCallback, Wav2Vec2FeatureExtractor
from transformers.utils.logging import disable_progress_bar, get_logger

from common.files import write_text
from common.processor import bfloat16_instructions, may_gain_from_bfloat16
from common.training_clips import write_training_clips
from evaluation.checkpoint import evaluate_checkpoint
from evaluation.metrics.compute import compute_metrics
from evaluation.plan import plan_evaluation
from evaluation.predict import in_order, longest_first
from evaluation.reporting.console import format_report
from evaluation.reporting.metrics_json import main_scores
from evaluation.reporting.summary import write_summary
from modeling import SAMPLING_RATE, Task
from modeling.modeling_heads_ser import multi_task_loss
from preprocessing.augmentation.augment import Augmentation
from preprocessing.prepared.collator import SERDataCollator
from preprocessing.prepared.task_values import encode, target_values

from .arguments.training_arguments import SERTrainingArguments
from .best import BestCallback, describe_best
from .calibrate import apply_temperatures, calibrate
from .corpus_sampling import describe_sampling
from .job import TrainingJob
from .recipe import recipe_temperatures, write_recipe_metrics
from .record import write_training_record
from .resume import write_resume_settings
from .trainer import MultiTaskSERTrainer

logger = get_logger(__name__)


def train(job: TrainingJob, callbacks: Sequence[TrainerCallback] = (), *, summary: bool = True) -> dict:
    """Trains, and writes the best checkpoint to `output_dir`, with feature extractor, settings, record and evaluation.

    Args:
        job: the training.
        callbacks: further callbacks of the Trainer.
        summary: whether to write the report for people, with its figures, too.

    Returns:
        The report on the test split, in the first process; empty in the others, or where there are no test clips.
    """
    trainer = build_trainer(job)
    for callback in callbacks:
        trainer.add_callback(callback)
    if trainer.is_world_process_zero():
        trainer.write_settings(job.output_dir)  # before the first step, in case the training is interrupted
        if job.sampling is not None:
            print(describe_sampling(job.sampling, job.args.corpus_temperature))
    trainer.train(resume_from_checkpoint=job.resume_from)
    if trainer.is_world_process_zero():
        print(describe_best(trainer.state, job.args.metric_for_best_model, trainer.state.epoch or 0))
    return finalize(trainer, job, summary=summary)


def propose_bfloat16(job: TrainingJob) -> None:
    """Prints that bfloat16 may be faster, where a training that nobody has given a precision begins on AMX."""
    is_free = not job.args.bf16 and "bf16" not in job.settings and job.args.recipe_of is None
    has_begun = job.resume_from is not None
    on_cpu = job.args.device.type == "cpu" and job.args.process_index == 0
    if not (is_free and on_cpu) or has_begun:
        return
    if may_gain_from_bfloat16("amx_bf16" in bfloat16_instructions(), job.model.num_parameters()):
        print("This processor computes in bfloat16 (AMX): --bf16 --use_cpu may train faster.")


def _write_settings(job: TrainingJob, folder: Path) -> None:
    write_resume_settings(job.resume_settings, folder)
    write_training_clips(folder, job.splits["train"]["id"], job.clips_before)


def build_trainer(job: TrainingJob) -> MultiTaskSERTrainer:
    """A Trainer for the model, the clips and the settings of a job."""
    if job.args.disable_tqdm:
        disable_progress_bar()  # also those of saving and loading
    feature_extractor = Wav2Vec2FeatureExtractor(
        # The model normalizes each clip itself (wav2vec 2.0), or processes the level as recorded (CNN14).
        do_normalize=False,
        return_attention_mask=True,
        sampling_rate=SAMPLING_RATE,
    )
    # An evaluation before this training may have had another precision. Transformers resets it in the same way, but
    # only where `TrainingArguments` are made. https://github.com/huggingface/transformers/issues/40376
    AcceleratorState._reset_state()
    return _trainer_class(job.args)(
        job.model,
        job.args,
        tasks=job.tasks,
        write_settings=partial(_write_settings, job),
        augmentation=_augmentation(job),
        sampling=job.sampling,
        data_collator=SERDataCollator(feature_extractor, job.tasks, job.model.config.max_duration_s),
        train_dataset=job.splits["train"],
        eval_dataset=longest_first(job.splits["validation"]) if "validation" in job.splits else None,
        processing_class=feature_extractor,
        compute_metrics=lambda prediction: score(prediction, job.splits["validation"], job.tasks),
        callbacks=_callbacks(job.args),
    )


def _augmentation(job: TrainingJob) -> Augmentation | None:
    if not job.data.augment:
        return None
    return Augmentation(job.data.augment, job.data.augment_probability, job.args.seed, job.splits["train"])


def _trainer_class(args: SERTrainingArguments) -> type[MultiTaskSERTrainer]:
    if not args.lora_rank:
        return MultiTaskSERTrainer
    from .lora import LoraTrainer  # peft is an extra

    return LoraTrainer


def finalize(trainer: MultiTaskSERTrainer, job: TrainingJob, *, summary: bool = True) -> dict:
    """Calibrates, saves, documents and evaluates a trained model; writes and returns what [`train`] does."""
    output = job.output_dir
    feature_extractor: Any = trainer.processing_class
    hardware: dict[str, Any] = {
        "per_device_eval_batch_size": job.args.per_device_eval_batch_size,
        "use_cpu": job.args.use_cpu,
    }
    if job.args.recipe_of is not None:
        apply_temperatures(job.model, recipe_temperatures(job.args.recipe_of, job.tasks))
    elif job.args.calibrate and "validation" in job.splits:
        calibrate(job.model, feature_extractor, job.splits["validation"], output, **hardware)
    if trainer.is_world_process_zero():
        (output / "metrics.json").unlink(missing_ok=True)  # which belongs to other weights
        job.model.save_pretrained(output)
        (output / "model.safetensors").chmod(0o644)  # https://github.com/safetensors/safetensors/issues/782
        feature_extractor.save_pretrained(output)
        write_text(output / "train_config.yaml", yaml.safe_dump(job.settings, allow_unicode=True))
        trainer.write_settings(output)
        write_training_record(job, trainer, output)
        if job.args.recipe_of is not None:
            write_recipe_metrics(job.args.recipe_of, output)
    trainer.accelerator.wait_for_everyone()
    report: dict[str, Any] = {}
    if "test" in job.splits:  # in float32 from the saved files, as evaluate.py does
        planned = plan_evaluation(str(output), Path(job.data.data), job.data.protocol)
        evaluation = evaluate_checkpoint(planned, output, **hardware)
        if evaluation:
            report = dict(evaluation.report)
            if summary:
                write_summary([evaluation], output)
    if report:
        print("\n" + format_report(report))
    trainer.end()
    return report


def score(prediction: EvalPrediction, clips: Dataset, tasks: tuple[Task, ...]) -> dict[str, float]:
    """The metrics that an evaluation during training logs: means over corpora, and the losses over all clips."""
    logits = in_order(prediction, clips)
    as_tensors = {name: torch.as_tensor(values) for name, values in logits.items()}
    labels = {task.name: encode(task, target_values(task, clips)) for task in tasks}
    # The Trainer's own loss is a mean over batches, however few labeled clips a batch has.
    total, losses = multi_task_loss(as_tensors, labels, tasks)
    metrics = compute_metrics(clips, logits, tasks, intervals=False)
    return {
        "loss": total.item(),
        **{f"loss_{name}": loss.item() for name, loss in losses.items()},
        **main_scores(tasks, metrics),
    }


def _callbacks(args: SERTrainingArguments) -> list[TrainerCallback]:
    if args.early_stopping_patience is None:
        return [BestCallback()]
    return [BestCallback(), EarlyStoppingCallback(args.early_stopping_patience)]
