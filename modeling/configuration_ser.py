"""Configurations of the speech emotion recognition models: the network, its tasks, and the clip length it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig, Wav2Vec2Config

from .tasks_ser import Task, check_column_names

SER_FORMAT = 2  # of checkpoints; increased whenever an older one would be read wrongly

if TYPE_CHECKING:  # the mixin completes whatever configuration class stands behind it
    _ConfigBase = PreTrainedConfig
else:
    _ConfigBase = object


class MultiTaskSERConfigMixin(_ConfigBase):
    """What the configurations of all architectures share; each declares the fields `tasks` and `max_duration_s`.

    Attributes:
        auto_model (`str`): file and name of the model's class, as the Hub's loader wants them.
    """

    # Not annotated, and so no field: what the Trainer leaves out of the predictions that it gathers.
    keys_to_ignore_at_inference = ["logits", "task_losses", "embeddings", "hidden_states", "attentions"]  # noqa: RUF012
    auto_model = ""
    if TYPE_CHECKING:  # fields of the subclasses
        tasks: list[dict[str, Any]] | tuple[dict[str, Any], ...]
        max_duration_s: float | int

    def __post_init__(self, **kwargs: Any) -> None:
        if not self.max_duration_s > 0:
            raise ValueError(f"max_duration_s must be a number of seconds above 0, got {self.max_duration_s}.")
        self._check_architecture()
        self.set_tasks([Task(**task) for task in self.tasks])
        super().__post_init__(**kwargs)
        # Besides the Auto classes that saving a registered model writes by itself.
        self.auto_map = {"AutoModel": self.auto_model, **kwargs.get("auto_map", {})}
        self.custom_pipelines = {
            "speech-emotion-recognition": {
                "impl": "pipeline_ser.SpeechEmotionPipeline",
                "pt": ["AutoModelForAudioClassification"],
                "type": "audio",
            }
        }

    def _check_architecture(self) -> None:
        """Raises a `ValueError` where fields do not fit the architecture."""
        raise NotImplementedError

    def get_tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order of the heads."""
        return tuple(Task(**task) for task in self.tasks)

    def set_tasks(self, tasks: list[Task]) -> None:
        """Replaces the tasks, and with them `id2label`, which belongs to the main one.

        Raises:
            ValueError: outputs of two tasks would have the same name.
        """
        check_column_names(tasks)
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


@strict
class Wav2Vec2MultiTaskSERConfig(MultiTaskSERConfigMixin, Wav2Vec2Config):
    r"""
    Configuration of [`~modeling.Wav2Vec2ForMultiTaskSER`].

    Besides the fields of [`~transformers.Wav2Vec2Config`]:

    Args:
        ser_format (`int`):
            Format of the checkpoint; that of this version is `SER_FORMAT`.
        tasks (`list[dict]`):
            What the heads predict, each as the fields of a [`Task`]. The main task, whose scores are `logits` and whose
            labels are `id2label`, is `emotion`, or the first task where no task has this name.
        max_duration_s (`float`, *optional*, defaults to 6.0):
            Seconds of a clip, from its beginning, that the model processes (paper, section 5).
        padding (`str`, *optional*, defaults to `"masked"`):
            `"masked"` averages the frames that hold audio; `"paper"` pads each clip with zeros to `max_duration_s` and
            averages all frames, as in the paper.
    """

    model_type = "wav2vec2_multitask_ser"
    auto_model = "modeling_wav2vec2_ser.Wav2Vec2ForMultiTaskSER"

    ser_format: int = SER_FORMAT
    tasks: list[dict[str, Any]] | tuple[dict[str, Any], ...] = ()
    max_duration_s: float | int = 6.0
    padding: str = "masked"
    # A model for a handful of sentences per speaker has no use for the two that wav2vec 2.0 switches on by default.
    layerdrop: float | int = 0.0
    mask_time_prob: float | int = 0.0
    feat_extract_norm: str = "layer"

    @property
    def pooled_size(self) -> int:
        """Number of features of a clip that the heads take."""
        return self.hidden_size

    def _check_architecture(self) -> None:
        """Raises a `ValueError` for a backbone with which a clip's output would depend on its batch."""
        if self.feat_extract_norm != "layer":
            raise ValueError(
                f"feat_extract_norm must be 'layer', got {self.feat_extract_norm!r}. A group-norm feature encoder "
                "(wav2vec2-base, hubert-base and similar) normalizes over the padding too, so the output for a clip "
                "would depend on the other clips in its batch. XLSR-53, XLS-R, MMS and the lv60 models use layer norm."
            )
        if self.add_adapter:
            raise ValueError("add_adapter=True is not supported: the heads pool the transformer's own frames.")
        if self.padding not in ("masked", "paper"):
            raise ValueError(f"padding must be 'masked' or 'paper', got {self.padding!r}.")


@strict
class Wav2Vec2LayerSumMultiTaskSERConfig(Wav2Vec2MultiTaskSERConfig):
    r"""
    Configuration of [`~modeling.Wav2Vec2LayerSumForMultiTaskSER`].

    Besides the fields of [`Wav2Vec2MultiTaskSERConfig`]:

    Args:
        dense_size (`int`, *optional*, defaults to 128): units of each of the two pointwise dense layers.
        dense_dropout (`float`, *optional*, defaults to 0.2): dropout after each of them.
    """

    model_type = "wav2vec2_layer_sum_multitask_ser"
    auto_model = "modeling_wav2vec2_layer_sum_ser.Wav2Vec2LayerSumForMultiTaskSER"

    dense_size: int = 128
    dense_dropout: float | int = 0.2

    @property
    def pooled_size(self) -> int:
        """Number of features of a clip that the heads take."""
        return self.dense_size

    def _check_architecture(self) -> None:
        super()._check_architecture()
        if self.layerdrop or self.mask_time_prob:
            raise ValueError("layerdrop and mask_time_prob must be 0, because the backbone is frozen.")


@strict
class PannsMultiTaskSERConfig(MultiTaskSERConfigMixin, PreTrainedConfig):
    r"""
    Configuration of [`~modeling.PannsForMultiTaskSER`]. The defaults are those of the published `Cnn14_16k`.

    Args:
        ser_format, tasks, max_duration_s: see [`Wav2Vec2MultiTaskSERConfig`].
        sampling_rate (`int`, *optional*, defaults to 16000):
            Rate in Hz that the network works at, 16000 or 32000. Its input is at 16 kHz in either case.
        window_size, hop_size (`int`, *optional*, default to 512 and 160): of the spectrogram, in samples at that rate.
        mel_bins (`int`, *optional*, defaults to 64): bands of the mel spectrogram.
        fmin, fmax (`float`, *optional*, default to 50 and 8000): their range, in Hz.
        channels (`list[int]`, *optional*): widths of the six blocks; by default the published 64 to 2048.
        conv_dropout (`float`, *optional*, defaults to 0.2): after each block.
        fc_dropout (`float`, *optional*, defaults to 0.5): before and after the last layer.
    """

    model_type = "panns_multitask_ser"
    auto_model = "modeling_panns_ser.PannsForMultiTaskSER"

    ser_format: int = SER_FORMAT
    tasks: list[dict[str, Any]] | tuple[dict[str, Any], ...] = ()
    max_duration_s: float | int = 6.0
    sampling_rate: int = 16_000
    window_size: int = 512
    hop_size: int = 160
    mel_bins: int = 64
    fmin: float | int = 50
    fmax: float | int = 8000
    channels: list[int] | tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    conv_dropout: float | int = 0.2
    fc_dropout: float | int = 0.5

    @property
    def hidden_size(self) -> int:
        """Number of features of a clip that the heads take."""
        return self.channels[-1]

    def _check_architecture(self) -> None:
        if self.sampling_rate not in (16_000, 32_000):
            raise ValueError(f"sampling_rate must be 16000 or 32000 Hz for CNN14, got {self.sampling_rate}.")
        if len(self.channels) != 6 or min(self.channels) < 1:
            raise ValueError(f"channels must be the six positive widths of CNN14's blocks, got {list(self.channels)}.")
        if not 0 <= self.fmin < self.fmax <= self.sampling_rate / 2:
            raise ValueError(
                f"fmin and fmax must satisfy 0 <= fmin < fmax <= {self.sampling_rate / 2:g} Hz, got {self.fmin} and "
                f"{self.fmax}."
            )
        # Five blocks halve both axes.
        frames = int(self.max_duration_s * self.sampling_rate) // self.hop_size + 1
        if min(frames, self.mel_bins) < 32:
            raise ValueError(
                f"CNN14 needs at least 32 frames and 32 mel bands. max_duration_s {self.max_duration_s} gives {frames} "
                f"frames, and mel_bins is {self.mel_bins}."
            )
