"""The Jinja environment of every template of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


def template_environment(folder: Path, filters: Mapping[str, Callable[..., Any]] | None = None) -> Environment:
    """An environment for the templates in a folder.

    What a template inserts is escaped in HTML (`*.html.jinja`) and inserted as it is elsewhere, such as in Markdown. A
    variable that is not defined raises a [`~jinja2.UndefinedError`]. The final newline of a template is kept.

    Args:
        folder: that holds the templates.
        filters: further filters, by name.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=select_autoescape(
            enabled_extensions=("html", "html.jinja"), default=False, default_for_string=False
        ),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters or {}
    return environment
