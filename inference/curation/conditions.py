"""Conditions on recordings: pandas expressions over known columns, checked before anything is evaluated.

Of Python's syntax they have comparisons, `and`, `or`, `not`, `+ - * /`, numbers, texts and lists of these: no call, no
attribute and no name that is not a column, so that a condition from anywhere is safe to evaluate.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .columns import MANIFEST, Columns, Kind, add_unique_sounds, add_zscores, is_unique_sound, zscore_source

_EXAMPLES = "emotion == 'neutral', emotion_score >= 0.6, gender == manifest_gender"
_NUMERIC = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.BinOp, ast.USub, ast.UAdd)
_SYNTAX = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.Not, ast.UnaryOp, ast.Compare, ast.Eq, ast.NotEq, ast.In),
    *(ast.NotIn, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Load, *_NUMERIC),
)


@dataclass(frozen=True)
class Condition:
    """A condition on rows.

    Args:
        text: as the user wrote it.
        expression: as pandas evaluates it: its texts are normalized.
        names: the columns that it names.
        numbers: those of the manifest's columns that are numbers in it; the others are texts.
        labels: pairs of a head and a column of the manifest that are compared.
    """

    text: str
    expression: str
    names: tuple[str, ...]
    numbers: frozenset[str]
    labels: tuple[tuple[str, str], ...]

    @property
    def needs_unique_sounds(self) -> bool:
        """Whether the other conditions have to be evaluated first."""
        return any(map(is_unique_sound, self.names))


def parse_conditions(texts: Sequence[str], columns: Columns) -> list[Condition]:
    """Parses and checks conditions.

    Raises:
        ValueError: one is not a valid expression, names an unknown column or class, or compares texts with numbers.
    """
    return [_parse(text.strip(), columns) for text in dict.fromkeys(texts)]


def _parse(text: str, columns: Columns) -> Condition:
    try:
        tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            if not isinstance(node, _SYNTAX) or type(getattr(node, "value", "")) not in (int, float, str):
                raise ValueError(f"{ast.unparse(node) or type(node).__name__!r} is not allowed.")
        return _check(text, tree, columns)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        message = f"it is not a valid expression ({error.msg})." if isinstance(error, SyntaxError) else str(error)
        raise ValueError(f"Condition {text!r}: {message} Expected comparisons such as {_EXAMPLES}.") from error


def _check(text: str, tree: ast.Expression, columns: Columns) -> Condition:
    """Checks the names and the comparisons of an expression, and normalizes its texts."""
    kinds = {name: columns.kind(name) for name in _names(tree)}
    numbers, texts = set(), set()
    labels: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            own, heads = ([name for name in _names(node) if kinds[name] == kind] for kind in ("manifest", "label"))
            if _is_numeric(node, kinds):
                numbers.update(own)
            else:
                texts.update(own)
                labels += [(head, name) for head in heads for name in own]
                _normalize_texts(node, heads, columns)
    if both := numbers & texts:
        raise ValueError(f"{both.pop()} is compared with a text and with a number; use two conditions.")
    condition = Condition(text, ast.unparse(tree), tuple(kinds), frozenset(numbers), tuple(labels))
    _try(condition, kinds)
    return condition


def _names(node: ast.AST) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]


def _is_numeric(node: ast.Compare, kinds: Mapping[str, Kind]) -> bool:
    """Whether numbers are compared, or else texts.

    Raises:
        ValueError: a number is compared with a text or a class, or a condition is compared.
    """
    parts = [part for part in ast.walk(node) if part is not node]
    if any(
        isinstance(part, ast.Compare | ast.BoolOp | ast.Not) or kinds.get(getattr(part, "id", "")) == "flag"
        for part in parts
    ):
        raise ValueError("a condition cannot be compared; use `and`, `or` and `not`.")
    for operator, operand in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn) != isinstance(operand, ast.List | ast.Tuple):
            raise ValueError("`in` and `not in` need a list such as ['happy', 'neutral'], other comparisons a value.")
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    texts = [repr(value) for value in constants if isinstance(value, str)]
    labels = [name for name in _names(node) if kinds[name] == "label"]
    numeric = len(texts) < len(constants) or any(isinstance(part, _NUMERIC) for part in parts)
    numeric = numeric or any(kinds[name] == "number" for name in _names(node))
    if numeric and labels:
        raise ValueError(f"{labels[0]} is a class; its score, a number, is {labels[0]}_score.")
    if numeric and texts:
        raise ValueError(f"{texts[0]} is not a number, and is compared with one.")
    return numeric


def _normalize_texts(node: ast.Compare, heads: Sequence[str], columns: Columns) -> None:
    """Normalizes the texts of a comparison; raises a `ValueError` if one is not a class of a head in it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant):
            part.value = columns.normalize(part.value)
            for head in heads:
                known = columns.labels[columns.scores[head]]
                if part.value not in map(columns.normalize, known):
                    raise ValueError(f"the model has no {head} {part.value!r}; it has {', '.join(known)}.")


def _try(condition: Condition, kinds: Mapping[str, Kind]) -> None:
    """Evaluates a condition on a dummy row; raises a `ValueError` if the result is not a truth value."""
    examples: dict[Kind, Any] = {"number": 1.0, "flag": True, "label": "", "manifest": ""}
    row = {name: 1.0 if name in condition.numbers else examples[kind] for name, kind in kinds.items()}
    try:
        result = pd.DataFrame(row, [0]).eval(condition.expression, engine="python")
    except Exception as error:  # pandas' errors have no common class
        raise ValueError(f"it cannot be evaluated: {error}.") from error
    if not isinstance(result, pd.Series) or result.dtype != bool:
        raise ValueError("it is a value, or names no column, and is not a condition.")


def evaluate(conditions: Sequence[Condition], frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Why rows do not meet conditions.

    Duplicates are compared last, so that the one that is kept meets all other conditions.

    Args:
        conditions: as [`parse_conditions`] returns them.
        frame: has the columns that [`Columns.needs`] lists; the computed ones are added to it.
        columns: that are known.

    Returns:
        A column per condition, by its text, in their order; `None` where a row meets it.
    """
    reasons = pd.DataFrame(None, frame.index, [condition.text for condition in conditions], dtype=object)
    for condition in sorted(conditions, key=lambda condition: condition.needs_unique_sounds):
        for name in condition.names:
            if name in frame.columns:
                continue
            if is_unique_sound(name):
                others = [other.text for other in conditions if not other.needs_unique_sounds]
                add_unique_sounds(frame, name, columns, reasons[others].isna().all(axis=1))
            else:
                add_zscores(frame, name, columns.speaker_name)
        reasons[condition.text] = _reasons(condition, frame, columns)
    return reasons


def unknown_labels(condition: Condition, frame: pd.DataFrame, columns: Columns) -> Iterator[tuple[str, str, pd.Series]]:
    """For each head that is compared with the manifest: head, column, and the rows whose label is not a class."""
    for head, name in condition.labels:
        classes = {columns.normalize(label) for label in columns.labels[columns.scores[head]]}
        yield head, name, frame[name].notna() & ~frame[name].map(columns.normalize).isin(classes)


def _reasons(condition: Condition, frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Why each row does not meet a condition. A row without a value that the condition names does not meet it."""
    typed = _typed(condition, frame, columns)
    reasons = _invalid_values(condition, frame, typed, columns)
    met = pd.Series(typed.eval(condition.expression, engine="python"), frame.index).astype(bool)
    unmet = frame[reasons.isna() & ~met]
    for row, values in zip(unmet.index, unmet.to_dict("records"), strict=True):
        reasons[row] = ", ".join(_describe(name, values, columns) for name in condition.names)
    return reasons.map(lambda reason: f"{condition.text}: {reason}", na_action="ignore")


def _invalid_values(condition: Condition, frame: pd.DataFrame, typed: pd.DataFrame, columns: Columns) -> pd.Series:
    """Why a row lacks a value that a condition names, `None` where it has all of them."""
    reasons = pd.Series(None, frame.index, dtype=object)
    for head, name, unknown in unknown_labels(condition, frame, columns):
        reasons[unknown] = [f"{name} is {label}, not a class of {head}" for label in frame[name][unknown]]
    for name in condition.names:
        source = name if name in condition.numbers else columns.sources(name)[0] if columns.is_zscore(name) else None
        if source is not None:
            invalid = frame[source].notna() & typed[name].isna()
            reasons[invalid] = [f"{source} is {value}, not a number" for value in frame[source][invalid]]
    sources = list(dict.fromkeys(source for name in condition.names for source in columns.sources(name)))
    missing = frame[sources].isna()
    for row in frame.index[missing.any(axis=1)]:
        reasons[row] = " and ".join(f"{name} is missing" for name in sources if missing.at[row, name])
    return reasons


def _typed(condition: Condition, frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The columns of a condition as pandas compares them: numbers, normalized texts, and flags."""
    typed: dict[str, pd.Series] = {}
    for name in condition.names:
        kind = columns.kind(name)
        if kind == "number" or name in condition.numbers:
            typed[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
        elif kind == "flag":
            typed[name] = frame[name].astype(bool)
        else:
            typed[name] = frame[name].map(columns.normalize).astype(object)
    return pd.DataFrame(typed, frame.index)


def _describe(name: str, row: Mapping[Hashable, Any], columns: Columns) -> str:
    """The value of a column in a row, for people."""
    if is_unique_sound(name):
        return "the sound is unique" if row[name] else f"it sounds the same as {row[f'{name}.kept']}"
    if f"{name}.median" in row:
        source = zscore_source(name)
        median = f"the median of {row[f'{name}.rows']:.0f} rows is {row[f'{name}.median']:.4g}"
        return f"{name} is {row[name]:.3g} ({source} is {float(row[source]):.4g}, {median})"
    if name.startswith(MANIFEST) and name not in columns.scores:
        return f"{name} is {row[name]}"
    score = f" ({row[f'{name}_score']:.2f})" if columns.kind(name) == "label" else ""
    return f"{name} is {row[name]}{score}" if score else f"{name} is {row[name]:.4g}"
