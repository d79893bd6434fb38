"""Texts of others (labels, corpora, facts of a checkpoint) -> what Markdown and HTML read as nothing but text."""

from __future__ import annotations

from typing import Any

_ESCAPED = str.maketrans({"\\": "\\\\", "|": "\\|", "[": "\\[", "]": "\\]", "<": "&lt;", "`": "'"})


def plain(value: Any) -> Any:
    """A value with all texts in it, at any depth and keys too, in one line, and without links, code, tags and cells."""
    if isinstance(value, str):
        return " ".join(value.split()).translate(_ESCAPED)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
