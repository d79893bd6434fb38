"""The service as Gradio calls it: with the values of components, and a way to cancel a visitor's requests."""

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

_NO_FILE = "No file was sent. Please choose a file or record something first."
_CANCELED = "Canceled."


class CanceledError(Exception):
    """The visitor canceled the request."""


class Handlers:
    """What the events of a page call.

    Args:
        service: handles requests.
    """

    def __init__(self, service: Service):
        self._service = service
        self._running: list[tuple[str | None, Event]] = []  # session of the visitor, and whether it was canceled

    def recognize(
        self,
        path: str | None,
        labels: list[str],
        uncertain_below: float,
        window_s: float,
        hop_s: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (Gradio detects it by this default)
    ) -> tuple[str, dict[str, Any], str | None]:
        """One recording: its HTML, its values, and its path."""
        if path is None:
            return render_note(_NO_FILE, problem=True), {"error": _NO_FILE}, None
        file = Path(path)
        try:
            options, timeline = output_options(labels, uncertain_below), TimelineOptions(window_s, hop_s)
            with self._cancellable(request) as check:
                report = _reporting(check, progress, f"Analyzing {file.name}")
                return *self._service.recognize(file, options, timeline, report), path
        except (ValueError, CanceledError) as error:
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
            options = output_options(labels, uncertain_below)
            with self._cancellable(request) as check:
                report = _reporting(check, progress, f"Analyzing {len(files)} files")
                return self._service.predict_several(files, options, report)
        except (ValueError, CanceledError) as error:
            return render_note(str(error), problem=True), [{"error": str(error)}]

    def cancel(self, request: gr.Request) -> str:
        """Ends the running requests of a visitor's session, at their next report of progress."""
        for session, canceled in list(self._running):
            if session == request.session_hash:
                canceled.set()
        return render_note(_CANCELED)

    @contextmanager
    def _cancellable(self, request: gr.Request) -> Iterator[Callable[[], None]]:
        """Yields a function that raises a `CanceledError` after the session has canceled."""
        entry = (request.session_hash, Event())

        def check() -> None:
            if entry[1].is_set():
                raise CanceledError(_CANCELED)

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
