"""SpeechEmotionPipeline: a recording in, the output of every head out.

from transformers import pipeline
recognize = pipeline(model="runs/demo", trust_remote_code=True)
recognize("clip.wav")["emotion"][0]  # {"label": "angry", "score": 0.93}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, Subset
from transformers import Pipeline
from transformers.pipelines.base import pad_collate_fn
from transformers.pipelines.pt_utils import PipelineDataset, PipelineIterator

from .audio_ser import AudioReader
from .batching_ser import batched, length_grouped_batches
from .outputs_ser import OutputOptions, format_no_speech, format_outputs
from .vad_ser import measure_speech

# Batches to choose from: enough for lengths to be alike, few enough to hold in memory.
_POOL = 16


class SpeechEmotionPipeline(Pipeline):
    """
    Speech emotion recognition with all heads, under the task `speech-emotion-recognition`.

    It decodes any audio or video file itself, processes the first `model.config.max_duration_s` seconds, and gives the
    output that the model gives for the clip alone, whatever the batch.
    """

    _load_processor: Any = False
    _load_image_processor: Any = False
    _load_feature_extractor: Any = True
    _load_tokenizer: Any = False
    feature_extractor: Any

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """
        Args:
            inputs: a path, a URL (`https://`, `hf://` or any other scheme of fsspec), encoded bytes, a binary file
                object, a mono array or tensor at 16 kHz, or a dict: `{"array", "sampling_rate"}` at any rate and with
                any number of channels, or a `datasets` row `{"bytes", "path"}`. A list, a generator or a `datasets`
                column of these gives as many outputs.
            top_k (`int`, *optional*): number of classes to return of each classification head; by default all.
            labels (`list[str]`, *optional*): the emotions to choose among; by default all classes of the model.
            uncertain_below (`float`, *optional*): adds `uncertain`, whether the best emotion's score is below this.
            return_embedding (`bool`, defaults to `False`): adds `embedding`, the clip's features that the heads take.
            vad (`bool`, defaults to `True`): whether to detect speech, and to predict nothing for clips without it. It
                takes some 2 ms of one core for each second of the clip.
            batch_size (`int`, *optional*): clips per batch, grouped by length; it changes no output.

        Returns:
            `dict`, or one per input. Classification heads: `[{"label", "score"}, …]`, the likeliest first. Regression
            heads: `{"value", "unit"}`. Then `duration_s` of the recording (`None` where it is unknown, see
            [`AudioReader`]), `analyzed_s`, the seconds of it, from the beginning, that the model processed, and
            `speech_s`, how many of these are speech. Where it is 0, every label, score and value is `None` and `reason`
            gives the reason. It is `None` without `vad`, and where silero-vad is not installed, which logs a warning.

        Raises:
            AudioError: an input is not audio.
        """
        if isinstance(inputs, Sequence) and not isinstance(inputs, str | bytes | bytearray | memoryview):
            if len(inputs) == 0:
                return []
            # The base class would take a `datasets` column for one input.
            inputs = list(inputs) if isinstance(inputs, list | tuple) else Subset(cast(Any, inputs), range(len(inputs)))
        return super().__call__(inputs, *args, **kwargs)

    def _sanitize_parameters(
        self, return_embedding: bool | None = None, vad: bool | None = None, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        unknown = options.keys() - OutputOptions.__dataclass_fields__.keys()
        if unknown:
            raise TypeError(
                f"SpeechEmotionPipeline has no parameter {', '.join(sorted(unknown))}; it has return_embedding, vad, "
                f"{', '.join(OutputOptions.__dataclass_fields__)}."
            )
        OutputOptions(**options).check(self.model.config.main_task)
        forward = {} if return_embedding is None else {"return_embedding": return_embedding}
        return {} if vad is None else {"vad": vad}, forward, options

    def get_iterator(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: int,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterable[dict[str, Any]]:
        """As in the base class, but batches hold clips of similar length."""
        if batch_size == 1:
            one_by_one: Iterable[dict[str, Any]] = super().get_iterator(
                inputs, num_workers, batch_size, preprocess_params, forward_params, postprocess_params
            )
            return one_by_one
        streamed = not hasattr(inputs, "__getitem__")
        clips = (PipelineIterator if streamed else PipelineDataset)(inputs, self.preprocess, preprocess_params)
        # At most one worker reads a stream, because each of several would read all of it.
        loader = DataLoader(clips, batch_size=None, num_workers=min(num_workers, 1) if streamed else num_workers)
        outputs = _LengthGroupedOutputs(
            loader, batch_size, pad_collate_fn(None, self.feature_extractor), self.forward, forward_params
        )
        return PipelineIterator(outputs, self.postprocess, postprocess_params)

    def preprocess(self, input_: Any, vad: bool = True) -> dict[str, Any]:  # type: ignore[override]
        rate = self.feature_extractor.sampling_rate
        source, source_rate = input_, rate if isinstance(input_, np.ndarray | torch.Tensor) else None
        if isinstance(input_, dict):
            source, source_rate = _from_dict(input_)
        with AudioReader(source, sampling_rate=source_rate) as audio:
            waveform = audio.read(0.0, self.model.config.max_duration_s)
            duration_s = math.nan if audio.duration_s is None else audio.duration_s
        features = self.feature_extractor(waveform, sampling_rate=rate, return_tensors="pt")
        speech_s = measure_speech(waveform) if vad else None
        # Only tensors can be split into single clips, so NaN stands for an unknown value.
        values = [duration_s, waveform.size / rate, math.nan if speech_s is None else speech_s]
        seconds = torch.tensor([values], dtype=torch.float64)
        return {**features, "seconds": seconds}

    def _forward(  # type: ignore[override]
        self, model_inputs: dict[str, Any], return_embedding: bool = False
    ) -> dict[str, torch.Tensor]:
        inputs = dict(model_inputs)
        seconds = inputs.pop("seconds")
        outputs = self.model(**inputs)
        # Flat, one tensor per head, which can be split into single clips.
        embedding = {"embedding": outputs.embeddings} if return_embedding else {}
        return {"seconds": seconds, **embedding, **outputs.task_logits}

    def postprocess(self, model_outputs: dict[str, torch.Tensor], **options: Any) -> dict[str, Any]:
        tasks = self.model.config.get_tasks()
        duration_s, analyzed_s, speech_s = model_outputs["seconds"][0].tolist()
        if speech_s == 0:
            outputs = format_no_speech(tasks)
        else:
            decoded = {task.name: task.decode(model_outputs[task.name])[0] for task in tasks}
            outputs = format_outputs(tasks, self.model.config.main_task, decoded, OutputOptions(**options))
        if "embedding" in model_outputs:
            outputs["embedding"] = model_outputs["embedding"][0].float().tolist()
        duration_s, analyzed_s, speech_s = (
            None if math.isnan(value) else value for value in (duration_s, analyzed_s, speech_s)
        )
        return {**outputs, "duration_s": duration_s, "analyzed_s": analyzed_s, "speech_s": speech_s}


class _LengthGroupedOutputs(IterableDataset[dict[str, torch.Tensor]]):
    """Computes clips in batches of similar length and yields the outputs in the clips' order."""

    def __init__(
        self, clips: DataLoader[Any], batch_size: int, collate: Any, forward: Any, forward_params: dict[str, Any]
    ):
        self.clips = clips
        self.batch_size = batch_size
        self.collate = collate
        self.forward = forward
        self.forward_params = forward_params

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        for pool in batched(self.clips, _POOL * self.batch_size):
            in_order: list[Any] = [None] * len(pool)
            for batch in length_grouped_batches([clip["input_values"].shape[1] for clip in pool], self.batch_size):
                outputs = self.forward(self.collate([pool[index] for index in batch]), **self.forward_params)
                for row, index in enumerate(batch):
                    in_order[index] = {name: values[row : row + 1] for name, values in outputs.items()}
            yield from in_order


def _from_dict(row: dict[str, Any]) -> tuple[Any, int | None]:
    """Source and rate of `{"array" or "raw", "sampling_rate"}` or `{"bytes", "path"}`."""
    array = row.get("array", row.get("raw"))
    if array is not None and "sampling_rate" in row:
        return np.asarray(array) if isinstance(array, list) else array, row["sampling_rate"]
    for key in ("bytes", "path"):
        if row.get(key) is not None:
            return row[key], None
    raise ValueError(
        "A dict of audio must have the keys 'array' and 'sampling_rate', or 'bytes' or 'path'; "
        f"got {', '.join(map(repr, row)) or 'an empty dict'}."
    )
