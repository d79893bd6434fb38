"""A predictor -> a web page: one recording with its timeline, or several in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

from ..engine.predictor import Predictor
from ..timeline.build import TimelineOptions
from .api.stream import Streams
from .formatting import format_duration, lanes_of, title_of, tone_of
from .handlers import Handlers
from .lenient_blocks import LenientBlocks
from .limits import MEGABYTE
from .middleware import LimitsMiddleware, accept_only_files
from .model_description import ModelDescription
from .render_table import TEMPLATES
from .service import Limits, Service

_HERE = Path(__file__).parent
_FONT = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")  # the visitor's own: none is fetched
_WELCOME = """<div class="note welcome"><svg viewBox="0 0 66 20" aria-hidden="true">
<path d="M2 9v2M8 7v6M14 4v12M20 8v4M26 2v16M32 5v10M38 1v18M44 6v8M50 3v14M56 8v4M62 9v2"/></svg>
Your result will appear here: scores, a timeline, and files to download.</div>"""
_CAUTION = (
    "The model estimates emotion from the sound of a voice, and it can be wrong. The result does not show what a "
    "person feels. Please do not use it to make decisions about anyone."
)
_UNKNOWN = ModelDescription()
_LIVE_HOP_S = 0.5
_CLEAR = "() => null"  # an empty field takes the next file at once


@dataclass(frozen=True)
class _Inputs:
    """The components that a visitor fills in, and those that start a prediction."""

    upload: gr.File
    microphone: gr.Audio
    examples: list[tuple[gr.Button, gr.State]]
    uploads: gr.File
    start: gr.Button
    settings: list[gr.components.Component]
    again: gr.Button


def build_page(
    predictor: Predictor, limits: Limits, examples: Mapping[str, Path], model: ModelDescription = _UNKNOWN
) -> gr.Blocks:
    """The page, to be started by [`serve_page`].

    Args:
        predictor: the model.
        limits: what a visitor may ask for.
        examples: title -> recording.
        model: what the page shows visitors about the model.
    """
    with LenientBlocks(title="Speech emotion recognition", analytics_enabled=False) as page:
        _html(_introduction(predictor, limits, model), "intro")
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                inputs = _add_inputs(predictor, limits, examples)
            with gr.Column(scale=9, min_width=300):
                cancel = gr.Button("Cancel", size="sm", elem_id="cancel")
                result = gr.HTML(_WELCOME, elem_id="result", js_on_load=None, padding=False, apply_default_css=False)
        _html(_CAUTION, "hint")
        _connect(Handlers(Service(predictor, limits)), limits, inputs, cancel, result)
    # `/run/predict`, which Cancel needs, would otherwise compute predictions outside of the queue and its limits.
    page.queue(max_size=limits.waiting, api_open=False)
    page._queue.pending_messages_per_session.max_size = limits.waiting + limits.concurrent  # results take megabytes
    return page


def _html(text: str, css_class: str, *, visible: bool = True) -> None:
    gr.HTML(text, visible=visible, elem_classes=css_class, padding=False, apply_default_css=False)


def _add_inputs(predictor: Predictor, limits: Limits, examples: Mapping[str, Path]) -> _Inputs:
    with gr.Tab("One recording"):
        upload = gr.File(label="Audio or video file", height=160, elem_id="upload")
        microphone = gr.Audio(
            sources=["microphone"], type="filepath", label="Microphone", buttons=[], elem_id="microphone"
        )
        _html("Or try an example:", "hint", visible=bool(examples))
        with gr.Row(elem_classes="examples"):
            buttons = [(gr.Button(title, size="sm"), gr.State(str(file))) for title, file in examples.items()]
    with gr.Tab("Several files"):
        _html(_about_several(predictor, limits), "hint")
        uploads = gr.File(label="Audio or video files", file_count="multiple", height=220, elem_id="uploads")
        start = gr.Button("Analyze", variant="primary", elem_id="start")
    with gr.Tab("Live"):
        _html(_live(predictor), "live-tab")
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        settings = _settings(predictor)
        again = gr.Button("Analyze again with these settings", size="sm", elem_id="again")
    return _Inputs(upload, microphone, buttons, uploads, start, settings, again)


def _connect(handlers: Handlers, limits: Limits, inputs: _Inputs, cancel: gr.Button, result: gr.HTML) -> None:
    """Connects the events of the components to the handlers."""
    values, latest = gr.JSON(visible=False), gr.State()
    # One group: whichever component starts them, no more than `concurrent` requests are computed at a time.
    group: dict[str, Any] = {
        "concurrency_limit": limits.concurrent,
        "concurrency_id": "model",
        "show_progress_on": result,
    }
    triggers = [
        (inputs.upload.upload, inputs.upload, "public"),
        (inputs.microphone.stop_recording, inputs.microphone, "private"),
        (inputs.again.click, latest, "private"),
        *((button.click, file, "private") for button, file in inputs.examples),
    ]
    predictions = [
        event(
            handlers.recognize,
            [source, *inputs.settings],
            [result, values, latest],
            api_name="recognize",
            api_visibility=visibility,
            **group,
        )
        for event, source, visibility in triggers
    ]
    for prediction, field in zip(predictions, (inputs.upload, inputs.microphone), strict=False):
        prediction.then(None, None, field, js=_CLEAR)
    several = inputs.start.click(
        handlers.predict_several,
        [inputs.uploads, *inputs.settings[:2]],
        [result, values],
        api_name="predict_several",
        **group,
    )
    cancel.click(
        handlers.cancel,
        None,
        result,
        cancels=[*predictions, several],
        # The queue may be full. Gradio also closes its stream when the canceled request ends, and an answer sent to it
        # before the browser has noticed would be lost (Gradio 6.31; no upstream issue was found).
        queue=False,
        api_visibility="private",
    )


def serve_page(
    page: gr.Blocks, streams: Streams, limits: Limits, uploads: Path, host: str | None = None, port: int | None = None
) -> None:
    """Serves the page until the process is asked to end.

    Args:
        page: of [`build_page`].
        streams: answers its live tab.
        limits: the same.
        uploads: the folder that `GRADIO_TEMP_DIR` names.
        host: address to listen on; by default `GRADIO_SERVER_NAME`, which the Hub sets, else 127.0.0.1.
        port: by default `GRADIO_SERVER_PORT`, else the first free one from 7860 on.

    Raises:
        OSError: the port is taken.
    """
    accept_only_files(limits.files)
    middleware = [Middleware(LimitsMiddleware, uploads, limits)]
    page.launch(
        app_kwargs={"middleware": middleware, "routes": [WebSocketRoute("/v1/stream", streams.serve)]},
        state_session_capacity=limits.sessions,
        server_name=host,
        server_port=port,
        share=False,
        **_appearance(limits),
    )


def mount_page(app: FastAPI, page: gr.Blocks, limits: Limits, uploads: Path) -> None:
    """Adds the page to an application, at its root; the application itself answers the live tab.

    Args:
        app: with routes of its own, which come first.
        page: of [`build_page`].
        limits: the same.
        uploads: the folder that `GRADIO_TEMP_DIR` names.
    """
    accept_only_files(limits.files)
    middleware = [Middleware(LimitsMiddleware, uploads, limits)]
    gr.mount_gradio_app(app, page, "/", app_kwargs={"middleware": middleware}, **_appearance(limits))


def _appearance(limits: Limits) -> dict[str, Any]:
    scripts = "".join((_HERE / name).read_text(encoding="utf-8") for name in ("page.js", "live.js"))
    return {
        "max_file_size": round(limits.megabytes * MEGABYTE),
        "ssr_mode": False,
        "pwa": False,
        "enable_monitoring": False,
        "run_history": False,  # it would store recordings in the visitor's browser
        "footer_links": [],
        "theme": gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=_FONT, font_mono=_FONT),
        "css_paths": _HERE / "page.css",
        "head": f"<script>{scripts}</script>",
    }


def _introduction(predictor: Predictor, limits: Limits, model: ModelDescription) -> str:
    return TEMPLATES.get_template("introduction.html.jinja").render(
        main=title_of(predictor.main_task.name).lower(),
        length=format_duration(60 * limits.minutes),
        size=f"{limits.megabytes:g}",
        kept=format_duration(limits.keep_s),
        model=model,
    )


def _live(predictor: Predictor) -> str:
    main_task = predictor.main_task
    classes = [(label, tone_of(label, main_task)) for label in lanes_of(main_task)]
    return TEMPLATES.get_template("live.html.jinja").render(classes=classes, head=main_task.name, hop_s=_LIVE_HOP_S)


def _about_several(predictor: Predictor, limits: Limits) -> str:
    longest = format_duration(predictor.max_duration_s)
    return (
        f"Up to {limits.files} files at a time. Each file gets one row, for its first {longest}, pauses included. To "
        "see a whole recording over time, choose <em>One recording</em>."
    )


def _settings(predictor: Predictor) -> list[gr.components.Component]:
    main_task, longest_s, defaults = predictor.main_task, predictor.max_duration_s, TimelineOptions()
    labels = list(main_task.labels)
    return [
        gr.CheckboxGroup(
            labels,
            value=labels,
            label="Classes to choose from",
            info="Uncheck classes that cannot occur in the recording. The scores of the others then add up to 100%.",
            visible=main_task.is_classification,
        ),
        gr.Slider(
            0,
            1,
            0,
            step=0.05,
            label="Uncertain below",
            info="Results whose best score is below this value are marked as uncertain. 0 turns this off.",
        ),
        gr.Slider(
            0.5,
            longest_s,
            min(defaults.window_s, longest_s),
            step=0.5,
            label="Window (seconds)",
            info="How much speech the model analyzes at once. Longer windows are steadier but miss short changes.",
        ),
        gr.Slider(
            0.25,
            3,
            min(defaults.hop_s, longest_s),
            step=0.25,
            label="Hop (seconds)",
            info="The step from one window to the next. Smaller steps locate changes better but take longer.",
        ),
    ]
