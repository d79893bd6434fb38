"""The options of a request, in its address or its body: those of `predict.py`, checked before anything is computed."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modeling import OutputOptions

from ...engine.predictor import Predictor
from ...timeline.build import TimelineOptions
from .errors import ApiError, describe_invalid

Format = Literal["json", "csv", "srt", "vtt", "rttm", "TextGrid", "txt"]
# Media type of a format; the first format of a type is the one that `Accept` chooses.
MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "rttm": "text/x-rttm",
    "TextGrid": "text/x-textgrid",
    "txt": "text/plain",
}


class OutputParameters(BaseModel):
    """How outputs are formatted."""

    model_config = ConfigDict(extra="forbid")

    labels: list[str] = Field([], description="the emotions to choose among; by default all", examples=[[]])
    top_k: int | None = Field(None, ge=1, le=1000, description="only the N likeliest classes")
    uncertain_below: float | None = Field(
        None, ge=0, le=1, description="mark predictions whose best score is below this"
    )

    def with_fields(self, fields: dict[str, Any]) -> Self:
        """These options and those in the body, which win.

        Raises:
            ApiError: one of those in the body is invalid.
        """
        try:
            return type(self).model_validate({**self.model_dump(exclude_unset=True), **fields})
        except ValidationError as error:
            raise ApiError(422, describe_invalid(error)) from error

    def outputs(self, predictor: Predictor) -> OutputOptions:
        """As an object of this project; raises an [`ApiError`] where the model lacks a label."""
        try:
            options = OutputOptions(self.top_k, tuple(self.labels), self.uncertain_below)
            options.check(predictor.main_task)
        except ValueError as error:
            raise ApiError(422, str(error)) from error
        return options


class PredictionParameters(OutputParameters):
    """What is predicted for the beginning of a recording."""

    no_vad: bool = Field(False, description="detect no speech, and predict an emotion also where nobody speaks")


class StreamParameters(OutputParameters):
    """How a recording or a stream is cut."""

    window_s: float = Field(3.0, gt=0, le=60, description="seconds of speech that the model processes at once")
    hop_s: float = Field(1.0, ge=0.1, le=60, description="seconds from one window to the next")

    def timeline(self, predictor: Predictor, channels: Literal["mix", "each"] = "mix") -> TimelineOptions:
        """As an object of this project; raises an [`ApiError`] where the model cannot process such windows."""
        try:
            options = TimelineOptions(self.window_s, self.hop_s, channels=channels)
            options.check(predictor)
        except ValueError as error:
            raise ApiError(422, str(error)) from error
        return options


class TimelineParameters(StreamParameters):
    """How a timeline is cut, formatted and returned."""

    channels: Literal["mix", "each"] = Field("mix", description="the mean of the channels, or each with segments")
    format: Format | None = Field(None, description="of the result; by default as `Accept` asks, else JSON")
    job: bool | None = Field(None, description="whether to answer at once with a job; by default for long recordings")


def negotiate(accept: str, chosen: Format | None) -> str:
    """The format of a timeline: the one that was chosen, or the first one that `Accept` names.

    Raises:
        ApiError: `Accept` allows none of the formats.
    """
    if chosen is not None:
        return chosen
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    for media_type in wanted or ["*/*"]:
        if media_type in ("*/*", "application/*"):
            return "json"
        for name, known in MEDIA_TYPES.items():
            if media_type == known or media_type == "text/*" == f"{known.partition('/')[0]}/*":
                return name
    raise ApiError(406, f"Accept one of {', '.join(MEDIA_TYPES.values())}, or choose a format with format=.")
