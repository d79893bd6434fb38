"""Events of a live timeline -> lines for a terminal."""

from __future__ import annotations

from typing import Any

from modeling import Task

from .live import Event

_WIDTH = 24  # of a bar


def format_event(event: Event, main_task: Task) -> str | None:
    """A line of an event; `None` for those that the others imply.

    Args:
        event: of a [`~inference.timeline.live.LiveTimeline`].
        main_task: of the model.
    """
    if event["event"] == "hop":
        return f"{event['time_s']:8.1f} s  {_format_scores(event.get(main_task.name))}"
    if event["event"] == "segment_end":
        return f"           {event['start_s']:.1f} to {event['end_s']:.1f} s: {_format_best(event[main_task.name])}"
    return None


def _format_scores(output: Any) -> str:
    if output is None:
        return "no speech"
    if not isinstance(output, list):
        return _format_best(output)
    filled = round(_WIDTH * output[0]["score"])
    return f"{'█' * filled}{'·' * (_WIDTH - filled)}  {_format_best(output)}"


def _format_best(output: Any) -> str:
    if isinstance(output, list):
        return f"{output[0]['label']} {output[0]['score']:.2f}"
    return f"{output['value']:.4g} {output['unit']}".rstrip()
