"""A recogniser -> a web page: one recording with its timeline, or several in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from inference.drawing import draw_note
from inference.gate import Gate, read_files_alone
from inference.looks import spell_time
from inference.recogniser import Recogniser
from inference.service import Limits, Service
from inference.timeline import TimelineOptions
from modeling import AnswerOptions

_HERE = Path(__file__).parent
_FONT = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")  # the visitor's own: none is fetched
_WELCOME = """<div class="note welcome"><svg viewBox="0 0 66 20" aria-hidden="true">
<path d="M2 9v2M8 7v6M14 4v12M20 8v4M26 2v16M32 5v10M38 1v18M44 6v8M50 3v14M56 8v4M62 9v2"/></svg>
Emotions, the other heads and a timeline appear here.</div>"""
_CAUTION = (
    "What a model makes of the sound of a voice is a guess. It does not know what anyone feels, and is no ground for a "
    "decision about a person."
)
_NOTHING = draw_note("Choose a file or record something first.", problem=True)


def build_page(recogniser: Recogniser, limits: Limits, examples: Mapping[str, Path]) -> gr.Blocks:
    """The page, to be started by [`serve_page`].

    Args:
        recogniser: what hears.
        limits: what a visitor may ask for.
        examples: title -> recording.
    """
    recognise, recognise_several = _handlers(Service(recogniser, limits))
    with gr.Blocks(title="How is it said?", analytics_enabled=False) as page:
        gr.HTML(_introduction(limits), elem_classes="intro", apply_default_css=False)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                with gr.Tab("One recording"):
                    upload = gr.File(label="Recording or film", height=160, elem_id="upload")
                    microphone = gr.Audio(
                        sources=["microphone"], type="filepath", label="Speak", buttons=[], elem_id="microphone"
                    )
                    with gr.Row(elem_classes="examples"):
                        tries = [(gr.Button(title, size="sm"), gr.State(str(file))) for title, file in examples.items()]
                with gr.Tab("Several files"):
                    uploads = gr.File(label="Recordings", file_count="multiple", height=220, elem_id="uploads")
                    start = gr.Button("Recognise", variant="primary", elem_id="start")
                with gr.Accordion("Settings", open=False, elem_id="settings"):
                    settings = _settings(recogniser)
                    again = gr.Button("Again with these settings", size="sm", elem_id="again")
            with gr.Column(scale=9, min_width=300):
                result = gr.HTML(_WELCOME, elem_id="result", js_on_load=None, apply_default_css=False)
        gr.HTML(_CAUTION, elem_classes="hint", apply_default_css=False)
        values, latest = gr.JSON(visible=False), gr.State()
        # One group: however they ask, no more than so many are computed at a time.
        group: dict[str, Any] = {
            "concurrency_limit": limits.concurrent,
            "concurrency_id": "model",
            "show_progress_on": result,
            "scroll_to_output": True,  # which is below, on a phone
        }
        asks = [(upload.upload, upload, "public"), (microphone.stop_recording, microphone, "private")]
        asks += [(again.click, latest, "private"), *((button.click, file, "private") for button, file in tries)]
        for event, source, visibility in asks:
            event(
                recognise,
                [source, *settings],
                [result, values, latest],
                api_name="recognise",
                api_visibility=visibility,
                **group,
            )
        start.click(
            recognise_several, [uploads, *settings[:2]], [result, values], api_name="recognise_several", **group
        )
    page.queue(max_size=limits.waiting)
    page._queue.pending_messages_per_session.max_size = limits.waiting + limits.concurrent  # answers are megabytes
    return page


def serve_page(
    page: gr.Blocks, limits: Limits, uploads: Path, host: str | None = None, port: int | None = None
) -> None:
    """Serves the page until the process is told to end.

    Args:
        page: of [`build_page`].
        limits: the same.
        uploads: the folder that `GRADIO_TEMP_DIR` names.
        host: address to listen on; by default what `GRADIO_SERVER_NAME` says, as it does on the Hub, else 127.0.0.1.
        port: by default what `GRADIO_SERVER_PORT` says, else the first free one from 7860 on.

    Raises:
        OSError: the port is taken.
    """
    read_files_alone(limits.files)
    page.launch(
        app_kwargs={"middleware": [Middleware(Gate, uploads, limits)]},
        state_session_capacity=limits.sessions,
        server_name=host,
        server_port=port,
        share=False,
        max_file_size=round(limits.megabytes * 1e6),
        ssr_mode=False,
        pwa=False,
        enable_monitoring=False,
        run_history=False,  # it would keep recordings in the visitor's browser
        footer_links=[],
        theme=gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=_FONT, font_mono="ui-monospace"),
        css_paths=_HERE / "page.css",
        head=f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )


def _handlers(service: Service) -> tuple[Callable, Callable]:
    """The service as Gradio calls it: with the values of components."""

    def recognise(
        path: str | None,
        labels: list[str],
        uncertain_below: float,
        window_s: float,
        hop_s: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (which is how Gradio knows it)
    ) -> tuple[str, Any, str | None]:
        if path is None:
            return _NOTHING, {}, None
        try:
            answer, timeline = _answer_options(labels, uncertain_below), TimelineOptions(window_s, hop_s)
        except ValueError as error:
            return draw_note(str(error), problem=True), {"error": str(error)}, path
        file = Path(path)
        shown = service.recognise(file, answer, timeline, lambda share: progress(share, f"Listening to {file.name}"))
        return *shown, path

    def recognise_several(
        paths: list[str] | None,
        labels: list[str],
        uncertain_below: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, Any]:
        if not paths:
            return _NOTHING, []
        files = [Path(path) for path in paths]
        answer = _answer_options(labels, uncertain_below)
        return service.recognise_several(files, answer, lambda share: progress(share, "Listening"))

    return recognise, recognise_several


def _answer_options(labels: list[str], uncertain_below: float) -> AnswerOptions:
    return AnswerOptions(labels=tuple(labels), uncertain_below=uncertain_below or None)


def _introduction(limits: Limits) -> str:
    return (
        "<h1>How is it said?</h1><p>Emotion over time, and what else a voice tells, from any audio or video file of up "
        f"to {spell_time(60 * limits.minutes)} and {limits.megabytes:g} MB. What you send goes nowhere else and is "
        f"deleted after {spell_time(limits.keep_s)}.</p>"
    )


def _settings(recogniser: Recogniser) -> list[gr.components.Component]:
    main_task, longest_s, defaults = recogniser.main_task, recogniser.max_duration_s, TimelineOptions()
    labels = list(main_task.labels)
    return [
        gr.CheckboxGroup(labels, value=labels, label="What can occur", visible=main_task.is_classification),
        gr.Slider(0, 1, 0, step=0.05, label="Uncertain below a score of"),
        gr.Slider(0.5, longest_s, min(defaults.window_s, longest_s), step=0.5, label="Window, in seconds"),
        gr.Slider(0.25, 3, min(defaults.hop_s, longest_s), step=0.25, label="Hop, in seconds"),
    ]
