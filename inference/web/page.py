"""A predictor -> a web page: one recording with its timeline, or several in a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ..engine.predictor import Predictor
from ..timeline.build import TimelineOptions
from .formatting import format_duration, title_of
from .handlers import Handlers
from .lenient_blocks import LenientBlocks
from .middleware import LimitsMiddleware, read_files_alone
from .model_description import ModelDescription
from .render_table import ENVIRONMENT
from .service import MEGABYTE, Limits, Service

_HERE = Path(__file__).parent
_FONT = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")  # the visitor's own: none is fetched
_WELCOME = """<div class="note welcome"><svg viewBox="0 0 66 20" aria-hidden="true">
<path d="M2 9v2M8 7v6M14 4v12M20 8v4M26 2v16M32 5v10M38 1v18M44 6v8M50 3v14M56 8v4M62 9v2"/></svg>
The result appears here: scores, a timeline, and files to download.</div>"""
_CAUTION = (
    "A model's estimate from the sound of a voice is a guess. It does not tell what a person feels, and must not be "
    "the ground for a decision about anyone."
)
_UNKNOWN = ModelDescription()
_CLEAR = "() => null"  # a field that is empty takes the next file at once


def build_page(
    predictor: Predictor, limits: Limits, examples: Mapping[str, Path], facts: ModelDescription = _UNKNOWN
) -> gr.Blocks:
    """The page, to be started by [`serve_page`].

    Args:
        predictor: the model.
        limits: what a visitor may ask for.
        examples: title -> recording.
        facts: what the page says about the model.
    """
    handlers = Handlers(Service(predictor, limits))
    with LenientBlocks(title="Speech emotion recognition", analytics_enabled=False) as page:
        gr.HTML(_introduction(predictor, limits, facts), elem_classes="intro", padding=False, apply_default_css=False)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                with gr.Tab("One recording"):
                    upload = gr.File(label="Audio or video file", height=160, elem_id="upload")
                    microphone = gr.Audio(
                        sources=["microphone"], type="filepath", label="Microphone", buttons=[], elem_id="microphone"
                    )
                    gr.HTML(
                        "Or try an example:",
                        visible=bool(examples),
                        elem_classes="hint",
                        padding=False,
                        apply_default_css=False,
                    )
                    with gr.Row(elem_classes="examples"):
                        tries = [(gr.Button(title, size="sm"), gr.State(str(file))) for title, file in examples.items()]
                with gr.Tab("Several files"):
                    gr.HTML(
                        _about_several(predictor, limits), elem_classes="hint", padding=False, apply_default_css=False
                    )
                    uploads = gr.File(
                        label="Audio or video files", file_count="multiple", height=220, elem_id="uploads"
                    )
                    start = gr.Button("Analyze", variant="primary", elem_id="start")
                with gr.Accordion("Settings", open=False, elem_id="settings"):
                    settings = _settings(predictor)
                    again = gr.Button("Analyze again with these settings", size="sm", elem_id="again")
            with gr.Column(scale=9, min_width=300):
                cancel = gr.Button("Cancel", size="sm", elem_id="cancel")
                result = gr.HTML(_WELCOME, elem_id="result", js_on_load=None, padding=False, apply_default_css=False)
        gr.HTML(_CAUTION, elem_classes="hint", padding=False, apply_default_css=False)
        values, latest = gr.JSON(visible=False), gr.State()
        # One group: however they ask, no more than so many are computed at a time.
        group: dict[str, Any] = {
            "concurrency_limit": limits.concurrent,
            "concurrency_id": "model",
            "show_progress_on": result,
        }
        asks = [(upload.upload, upload, "public"), (microphone.stop_recording, microphone, "private")]
        asks += [(again.click, latest, "private"), *((button.click, file, "private") for button, file in tries)]
        asked = [
            event(
                handlers.recognize,
                [source, *settings],
                [result, values, latest],
                api_name="recognize",
                api_visibility=visibility,
                **group,
            )
            for event, source, visibility in asks
        ]
        for done, field in zip(asked, (upload, microphone), strict=False):
            done.then(None, None, field, js=_CLEAR)
        asked.append(
            start.click(
                handlers.predict_several,
                [uploads, *settings[:2]],
                [result, values],
                api_name="predict_several",
                **group,
            )
        )
        cancel.click(handlers.cancel, None, result, cancels=asked, concurrency_limit=None, api_visibility="private")
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
        app_kwargs={"middleware": [Middleware(LimitsMiddleware, uploads, limits)]},
        state_session_capacity=limits.sessions,
        server_name=host,
        server_port=port,
        share=False,
        max_file_size=round(limits.megabytes * MEGABYTE),
        ssr_mode=False,
        pwa=False,
        enable_monitoring=False,
        run_history=False,  # it would keep recordings in the visitor's browser
        footer_links=[],
        theme=gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=_FONT, font_mono=_FONT),
        css_paths=_HERE / "page.css",
        head=f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )


def _introduction(predictor: Predictor, limits: Limits, facts: ModelDescription) -> str:
    return ENVIRONMENT.get_template("introduction.html.jinja").render(
        main=title_of(predictor.main_task.name).lower(),
        length=format_duration(60 * limits.minutes),
        size=f"{limits.megabytes:g}",
        kept=format_duration(limits.keep_s),
        facts=facts,
    )


def _about_several(predictor: Predictor, limits: Limits) -> str:
    longest = format_duration(predictor.max_duration_s)
    return (
        f"Up to {limits.files} files at a time. Each gets one row, for its first {longest} with their pauses. Choose "
        "<em>One recording</em> for the speech alone, however long it is."
    )


def _settings(predictor: Predictor) -> list[gr.components.Component]:
    main_task, longest_s, defaults = predictor.main_task, predictor.max_duration_s, TimelineOptions()
    labels = list(main_task.labels)
    return [
        gr.CheckboxGroup(
            labels,
            value=labels,
            label="Classes to choose from",
            info="Uncheck what cannot occur in the recording. The scores of the others then add up to 100%.",
            visible=main_task.is_classification,
        ),
        gr.Slider(
            0,
            1,
            0,
            step=0.05,
            label="Uncertain below",
            info="A best score below this value is marked as uncertain. At 0, none is.",
        ),
        gr.Slider(
            0.5,
            longest_s,
            min(defaults.window_s, longest_s),
            step=0.5,
            label="Window (seconds)",
            info="How much speech the model analyzes at once. A longer window is steadier and misses short changes.",
        ),
        gr.Slider(
            0.25,
            3,
            min(defaults.hop_s, longest_s),
            step=0.25,
            label="Hop (seconds)",
            info="The step from one window to the next. A smaller one places changes better and takes longer.",
        ),
    ]
