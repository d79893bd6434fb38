"""The examples of the OpenAPI document, and its descriptions of bodies that a recording comes in."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_OUTPUTS = {
    "emotion": [{"label": "happy", "score": 0.91}, {"label": "neutral", "score": 0.06}],
    "gender": [{"label": "female", "score": 0.99}, {"label": "male", "score": 0.01}],
    "f0_mean": {"value": 212.4, "unit": "Hz"},
}
PREDICTION: dict[str, Any] = {
    "file": "clip.wav",
    **_OUTPUTS,
    "duration_s": 4.2,
    "analyzed_s": 4.2,
    "speech_s": 3.6,
}
TIMELINE: dict[str, Any] = {
    "file": "call.mp3",
    "duration_s": 41.5,
    "speech_s": 3.1,
    "segments": [{"start_s": 1.2, "end_s": 4.3, **_OUTPUTS}],
}
JOB: dict[str, Any] = {
    "id": "m2yX0cVb3sKz1q8hJw4tRg",
    "status": "running",
    "progress": 0.25,
    "result": "/v1/jobs/m2yX0cVb3sKz1q8hJw4tRg/result",
}
MODELS: dict[str, Any] = {
    "models": [
        {
            "id": "ser",
            "backend": "onnx",
            "precision": "float32",
            "weights_sha256": "9f86d0…",
            "max_duration_s": 6.0,
            "main_task": "emotion",
            "tasks": [{"name": "emotion", "kind": "classification", "labels": ["angry", "happy", "sad"], "unit": ""}],
        }
    ]
}
# A WAV file in base64, with a header alone: one with sound is too long to show.
_AUDIO = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="


def request_body(parameters: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a body with a recording, in each of its three forms.

    Args:
        parameters: the options that may accompany the recording, in JSON and in multipart.
    """
    options = parameters.model_json_schema()["properties"]
    as_json = {"audio": {"type": "string", "contentEncoding": "base64"}, "name": {"type": "string"}, **options}
    as_form = {"file": {"type": "string", "format": "binary"}} | {
        name: _without_null(option) for name, option in options.items()
    }
    example = {"audio": _AUDIO, "name": "clip.wav"}
    schema = {"type": "object", "properties": as_json, "required": ["audio"], "additionalProperties": False}
    form = {"type": "object", "properties": as_form, "required": ["file"], "additionalProperties": False}
    raw = {"schema": {"type": "string", "format": "binary"}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": schema, "example": example},
                "application/octet-stream": raw,
                "audio/wav": raw,
            },
        }
    }


def _without_null(option: dict[str, Any]) -> dict[str, Any]:
    """The schema of an option in a form, where all values are texts and a missing one is left out."""
    kinds = [kind for kind in option.get("anyOf", []) if kind != {"type": "null"}]
    rest = {name: value for name, value in option.items() if name not in ("anyOf", "default")}
    return {**rest, **kinds[0]} if kinds else option
