"""The OpenAPI document of the service -> a page that describes it, without scripts and without files of other hosts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from common.templates import template_environment

_BOUNDS = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "to"}


def render_documentation(document: dict[str, Any], address: str) -> str:
    """The page as HTML.

    Args:
        document: of OpenAPI 3.1.
        address: of the service, for the examples.
    """
    return _TEMPLATES.get_template("documentation.html.jinja").render(document=document, address=address)


def _describe_kind(schema: dict[str, Any]) -> str:
    """Which values a schema allows: `integer from 1 to 1000`."""
    [kind] = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    if "enum" in kind:
        return " | ".join(kind["enum"])
    if "items" in kind:
        return f"list of {_describe_kind(kind['items'])}"
    return " ".join([kind["type"], *(f"{word} {kind[name]}" for name, word in _BOUNDS.items() if name in kind)])


def _mark_code(text: str) -> Markup:
    """Text whose parts between backticks are code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


_FILTERS: dict[str, Callable[..., str]] = {
    "kind": _describe_kind,
    "code": _mark_code,
    "json": partial(json.dumps, indent=1, ensure_ascii=False),
}
_TEMPLATES = template_environment(Path(__file__).parent, _FILTERS)
