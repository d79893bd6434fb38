"""The service as Gradio calls it: with the values of components, and with a way to cancel what a visitor asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from modeling import OutputOptions

from ..timeline.build import TimelineOptions
from .render import render_note
from .service import Service

_NO_FILE = "No file was sent. Choose a file or record something first."
_CANCELLED = "Cancelled."


class CancelledError(Exception):
    """The visitor does not wait for the result any more."""


class Handlers:
    """What the events of a page call.

    Args:
        service: answers requests.
    """

    def __init__(self, service: Service):
        self._service = service
        self._running: list[tuple[str | None, Event]] = []  # session of the visitor, and whether it was cancelled

    def recognize(
        self,
        path: str | None,
        labels: list[str],
        uncertain_below: float,
        window_s: float,
        hop_s: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (which is how Gradio knows it)
    ) -> tuple[str, dict[str, Any], str | None]:
        """One recording: its HTML, its values, and where it lies."""
        if path is None:
            return render_note(_NO_FILE, problem=True), {"error": _NO_FILE}, None
        file = Path(path)
        try:
            answer, timeline = output_options(labels, uncertain_below), TimelineOptions(window_s, hop_s)
            with self._cancellable(request) as check:
                report = _reporting(check, progress, f"Analyzing {file.name}")
                return *self._service.recognize(file, answer, timeline, report), path
        except (ValueError, CancelledError) as error:
            return render_note(str(error), problem=True), {"error": str(error)}, path

    def predict_several(
        self,
        paths: list[str] | None,
        labels: list[str],
        uncertain_below: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, list[dict[str, Any]]]:
        """Several recordings: their HTML, and a row of values for each."""
        if not paths:
            return render_note(_NO_FILE, problem=True), [{"error": _NO_FILE}]
        files = [Path(path) for path in paths]
        try:
            answer = output_options(labels, uncertain_below)
            with self._cancellable(request) as check:
                report = _reporting(check, progress, f"Analyzing {len(files)} files")
                return self._service.predict_several(files, answer, report)
        except (ValueError, CancelledError) as error:
            return render_note(str(error), problem=True), [{"error": str(error)}]

    def cancel(self, request: gr.Request) -> str:
        """Ends what a visitor's session has running, at its next report of progress."""
        for session, cancelled in list(self._running):
            if session == request.session_hash:
                cancelled.set()
        return render_note(_CANCELLED)

    @contextmanager
    def _cancellable(self, request: gr.Request) -> Iterator[Callable[[], None]]:
        """Yields what raises a `CancelledError` as soon as the session has cancelled."""
        entry = (request.session_hash, Event())

        def check() -> None:
            if entry[1].is_set():
                raise CancelledError(_CANCELLED)

        self._running.append(entry)
        try:
            yield check
        finally:
            self._running.remove(entry)


def output_options(labels: list[str], uncertain_below: float) -> OutputOptions:
    """The settings of the page as options."""
    return OutputOptions(labels=tuple(labels), uncertain_below=uncertain_below or None)


def _reporting(check: Callable[[], None], progress: gr.Progress, text: str) -> Callable[[float], None]:
    def report(share: float) -> None:
        check()
        progress(share, text)

    return report
