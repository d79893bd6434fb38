"""SpeechEmotionPipeline: a recording in, what every head says about it out.

from transformers import pipeline
recognise = pipeline(model="runs/demo", trust_remote_code=True)
recognise("clip.wav")["emotion"][0]  # {"label": "angry", "score": 0.93}
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import Pipeline

from .audio_ser import AudioReader


class SpeechEmotionPipeline(Pipeline):
    """
    Speech emotion recognition with all heads, under the task `speech-emotion-recognition`.

    It decodes any audio or video file itself, hears the first `model.config.max_duration_s` seconds, and gives the
    answer that the model gives for the clip alone, whatever the batch.
    """

    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = True
    _load_tokenizer = False

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """
        Args:
            inputs: a path, encoded bytes, a binary file object, a mono array at 16 kHz, or a dict: `{"array",
                "sampling_rate"}` at any rate and with any number of channels, or a `datasets` row `{"bytes", "path"}`.
                A list, a generator or a `datasets` column of these gives as many answers.
            top_k (`int`, *optional*): how many classes to return of each classification head; by default all.

        Returns:
            `dict`, or one per input. Classification heads: `[{"label", "score"}, …]`, the likeliest first. Regression
            heads: `{"value", "unit"}`. Then `duration_s` of the recording, and `heard_s`, the seconds of it, from the
            beginning, that the model heard.

        Raises:
            AudioError: an input is not audio.
        """
        return super().__call__(inputs, **kwargs)

    def _sanitize_parameters(self, top_k: int | None = None, **unknown: Any) -> tuple[dict, dict, dict]:
        if unknown:
            raise TypeError(f"SpeechEmotionPipeline has no parameter {', '.join(unknown)}; it has top_k.")
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k is the number of classes to return, at least 1, got {top_k}.")
        return {}, {}, {} if top_k is None else {"top_k": top_k}

    def preprocess(self, input_: Any) -> dict[str, torch.Tensor]:
        rate = self.feature_extractor.sampling_rate
        source, source_rate = input_, rate if isinstance(input_, np.ndarray | torch.Tensor) else None
        if isinstance(input_, dict):
            source, source_rate = _from_dict(input_)
        with AudioReader(source, sampling_rate=source_rate) as audio:
            waveform = audio.read(0.0, self.model.config.max_duration_s)
            duration_s = max(audio.duration_s, waveform.size / rate)
        features = self.feature_extractor(waveform, sampling_rate=rate, return_tensors="pt")
        seconds = torch.tensor([[duration_s, waveform.size / rate]], dtype=torch.float64)
        return {**features, "seconds": seconds}

    def _forward(self, model_inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        seconds = model_inputs.pop("seconds")
        # Flat, one tensor per head: what the base class can take apart into single clips.
        return {"seconds": seconds, **self.model(**model_inputs).task_logits}

    def postprocess(self, model_outputs: dict[str, torch.Tensor], top_k: int | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for task in self.model.config.get_tasks():
            decoded = task.decode(model_outputs[task.name])[0]
            if task.is_classification:
                scores, indices = decoded.topk(min(top_k or len(task.labels), len(task.labels)))
                answer[task.name] = [
                    {"label": task.labels[index], "score": score}
                    for index, score in zip(indices.tolist(), scores.tolist(), strict=True)
                ]
            else:
                answer[task.name] = {"value": decoded.item(), "unit": task.unit}
        answer["duration_s"], answer["heard_s"] = model_outputs["seconds"][0].tolist()
        return answer


def _from_dict(row: dict[str, Any]) -> tuple[Any, int | None]:
    """Source and rate of `{"array" or "raw", "sampling_rate"}` or `{"bytes", "path"}`."""
    array = row.get("array", row.get("raw"))
    if array is not None and "sampling_rate" in row:
        return np.asarray(array) if isinstance(array, list) else array, row["sampling_rate"]
    for key in ("bytes", "path"):
        if row.get(key) is not None:
            return row[key], None
    raise ValueError(
        "A dict of audio has the keys 'array' and 'sampling_rate', or 'bytes' or 'path'; "
        f"got {', '.join(map(repr, row)) or 'none'}."
    )
