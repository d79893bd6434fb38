"""Untrusted text (labels, corpora, the record of a training), escaped for Markdown and HTML."""

from __future__ import annotations

from typing import Any

_ESCAPED = str.maketrans({"\\": "\\\\", "|": "\\|", "[": "\\[", "]": "\\]", "<": "&lt;", "`": "'"})


def escape(value: Any) -> Any:
    """A value whose strings, at any depth and in keys, are one line each, without links, code, tags and table cells."""
    if isinstance(value, str):
        return " ".join(value.split()).translate(_ESCAPED)
    if isinstance(value, dict):
        return {escape(key): escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape(item) for item in value]
    return value
