"""Configuration of the speech emotion recognition models: a backbone's, and what the heads predict and hear."""

from __future__ import annotations

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import Wav2Vec2Config

from .tasks_ser import Task


@strict
class Wav2Vec2MultiTaskSERConfig(Wav2Vec2Config):
    r"""
    Configuration of [`Wav2Vec2ForMultiTaskSER`].

    Beside the fields of [`~transformers.Wav2Vec2Config`]:

    Args:
        tasks (`list[dict]`):
            What the heads predict: each the fields of a [`Task`]. The main task, whose scores are `logits` and whose
            labels are `id2label`, is `emotion`, or the first where there is none.
        max_duration_s (`float`, *optional*, defaults to 6.0):
            Seconds of a clip, from its beginning, that the model hears (paper, section 5).
        padding (`str`, *optional*, defaults to `"masked"`):
            `"masked"` averages the frames that hold audio; `"paper"` pads each clip with zeros to `max_duration_s` and
            averages all frames, as in the paper.
    """

    model_type = "wav2vec2_multitask_ser"
    # Not annotated, and so no field: what the Trainer leaves out of the predictions that it gathers.
    keys_to_ignore_at_inference = ["logits", "task_losses", "hidden_states", "attentions"]  # noqa: RUF012

    tasks: list[dict[str, Any]] | tuple[dict[str, Any], ...] = ()
    max_duration_s: float | int = 6.0
    padding: str = "masked"
    # A model for a handful of sentences per speaker has no use for the two that wav2vec 2.0 switches on by default.
    layerdrop: float | int = 0.0
    mask_time_prob: float | int = 0.0
    feat_extract_norm: str = "layer"

    def __post_init__(self, **kwargs: Any) -> None:
        self._check_hearing()
        self.set_tasks([Task(**task) for task in self.tasks])
        super().__post_init__(**kwargs)
        # Beside the Auto classes that saving a registered model writes by itself.
        self.auto_map = {"AutoModel": "modeling_wav2vec2_ser.Wav2Vec2ForMultiTaskSER", **kwargs.get("auto_map", {})}
        self.custom_pipelines = {
            "speech-emotion-recognition": {
                "impl": "pipeline_ser.SpeechEmotionPipeline",
                "pt": ["AutoModelForAudioClassification"],
                "type": "audio",
            }
        }

    def _check_hearing(self) -> None:
        """Refuses what cannot keep the promise that a clip gets the same answer in any batch."""
        if self.feat_extract_norm != "layer":
            raise ValueError(
                f"feat_extract_norm is {self.feat_extract_norm!r}, it has to be 'layer': a group-norm feature encoder "
                "(wav2vec2-base, hubert-base and their like) normalises over the padding too, so that the answer for "
                "a clip would depend on the clips beside it. XLSR-53, XLS-R, MMS and the lv60 models are layer-norm."
            )
        if self.add_adapter:
            raise ValueError("add_adapter=True is not supported: the heads pool the transformer's own frames.")
        if self.padding not in ("masked", "paper"):
            raise ValueError(f"padding is 'masked' or 'paper', got {self.padding!r}.")
        if not self.max_duration_s > 0:
            raise ValueError(f"max_duration_s is a number of seconds above 0, got {self.max_duration_s}.")

    def get_tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order of the heads."""
        return tuple(Task(**task) for task in self.tasks)

    def set_tasks(self, tasks: list[Task]) -> None:
        """Replaces the tasks, and with them `id2label`, which belongs to the main one."""
        self.tasks = [task.to_dict() for task in tasks]
        if tasks:
            labels = self.main_task.labels or (self.main_task.name,)
            self.id2label = dict(enumerate(labels))
            self.label2id = {label: index for index, label in enumerate(labels)}
            self.problem_type = "single_label_classification" if self.main_task.is_classification else "regression"

    @property
    def main_task(self) -> Task:
        """The task that `logits` belong to."""
        tasks = self.get_tasks()
        return next((task for task in tasks if task.name == "emotion"), tasks[0])
