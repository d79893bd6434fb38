"""What the configurations of all speech emotion recognition models share, and that of CNN14."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from .tasks_ser import SER_FORMAT as SER_FORMAT
from .tasks_ser import Task, check_column_names, main_task_of

if TYPE_CHECKING:  # the mixin completes whatever configuration class stands behind it
    _ConfigBase = PreTrainedConfig
else:
    _ConfigBase = object


@dataclass(repr=False, eq=False, kw_only=True)  # so that the configurations have its fields
class MultiTaskSERConfigMixin(_ConfigBase):
    """What the configurations of all architectures share.

    Args:
        ser_format (`int`):
            Format of the checkpoint; that of this version is `SER_FORMAT`.
        tasks (`list[dict]`):
            What the heads predict, each as the fields of a [`Task`]. The main task, whose scores are `logits` and whose
            labels are `id2label`, is `emotion`, or the first task where no task has this name.
        max_duration_s (`float`, *optional*, defaults to 6.0):
            Seconds of a clip, from its beginning, that the model processes (paper, section 5).

    Attributes:
        auto_model (`str`): file and name of the model's class, as the Hub's loader wants them.
        hub_tag (`str`): the Hub's tag of the network.
        paper_name (`str`): the network's name in the rows of tables, as in Table 2 of the paper.
        description (`str`): the network in a sentence of a model card.
        standardizes_input (`bool`): whether clips are standardized to mean 0 and variance 1, and so lose their level.
        weight_licenses (`Mapping[str, str]`): license of pre-trained weights, by Hub id or by the name of their file.
        weights_homepage (`str`): where these weights are, by their name.
    """

    # Not annotated, and so no field: what the Trainer leaves out of the predictions that it gathers.
    keys_to_ignore_at_inference = ["logits", "task_losses", "embeddings", "hidden_states", "attentions"]  # noqa: RUF012
    auto_model = ""
    hub_tag = ""
    paper_name = ""
    description = ""
    standardizes_input = False
    weight_licenses: ClassVar[Mapping[str, str]] = MappingProxyType({})
    weights_homepage = "https://huggingface.co/{}"

    ser_format: int = SER_FORMAT
    tasks: list[dict[str, Any]] | tuple[dict[str, Any], ...] = ()
    max_duration_s: float | int = 6.0

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
        return main_task_of(self.get_tasks())


@dataclass(repr=False, eq=False, kw_only=True)
class SpeechEncoderConfigMixin(MultiTaskSERConfigMixin):
    r"""
    What the configurations of all transformer encoders share. `num_hidden_layers` is the number of layers that the
    model has, which may be fewer than the pre-trained encoder had.

    Args:
        padding (`str`, *optional*, defaults to `"masked"`):
            `"masked"` pools the frames that hold audio; `"paper"` pads each clip with zeros to `max_duration_s` and
            pools all frames, as in the paper.
        layer_weights (`bool`, *optional*, defaults to `False`):
            Whether a learned weighted mean over the encoder's layers is pooled, and not its last layer.
        pooling (`str`, *optional*, defaults to `"mean"`):
            Over time: `"mean"`, or `"attentive_statistics"` (Okabe et al. 2018).
        dense_layers (`list[int]`, *optional*):
            Widths of pointwise dense layers with ReLU before the pooling; none by default.
        dense_dropout (`float`, *optional*, defaults to 0.2): dropout after each of them.

    Attributes:
        encoder_name (`str`): the encoder's name in sentences.
    """

    encoder_name = ""

    padding: str = "masked"
    layer_weights: bool = False
    pooling: str = "mean"
    dense_layers: list[int] | tuple[int, ...] = ()
    dense_dropout: float | int = 0.2

    @property
    def pooled_size(self) -> int:
        """Number of features of a clip that the heads take."""
        width: int = self.dense_layers[-1] if self.dense_layers else self.hidden_size
        return 2 * width if self.pooling == "attentive_statistics" else width

    @property
    def description(self) -> str:  # type: ignore[override]  # a class attribute elsewhere
        """The network in a sentence of a model card."""
        parts = [f"{self.encoder_name} encoder of {self.num_hidden_layers} layers"]
        if self.layer_weights:
            parts.append("the mean of its layers with learned weights")
        if self.dense_layers:
            parts.append(f"{len(self.dense_layers)} dense layers")
        parts.append("attentive statistics over time" if self.pooling != "mean" else "the mean of its frames over time")
        return f"the {', '.join(parts)}, and one linear head per task"

    def _check_architecture(self) -> None:
        for name, values in (("padding", ("masked", "paper")), ("pooling", ("mean", "attentive_statistics"))):
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be {values[0]!r} or {values[1]!r}, got {getattr(self, name)!r}.")
        if any(width < 1 for width in self.dense_layers):
            raise ValueError(f"dense_layers must be positive widths, got {list(self.dense_layers)}.")


@strict
class PannsMultiTaskSERConfig(MultiTaskSERConfigMixin, PreTrainedConfig):
    r"""
    Configuration of [`~modeling.PannsForMultiTaskSER`]. The defaults are those of the published `Cnn14_16k`.

    Args:
        ser_format, tasks, max_duration_s: see [`MultiTaskSERConfigMixin`].
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

    hub_tag = "panns"
    paper_name = "PANN"
    description = "CNN14 on a log-mel spectrogram (Kong et al. 2020), and one linear head per task"
    weight_licenses = MappingProxyType(
        dict.fromkeys(("Cnn14_16k_mAP=0.438.pth", "Cnn14_mAP=0.431.pth"), "CC BY 4.0"),
    )
    weights_homepage = "https://zenodo.org/record/3987831"

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
