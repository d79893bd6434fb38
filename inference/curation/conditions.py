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
_ORDERINGS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


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
        checker = _Checker(columns)
        checker.require_condition(tree.body)
        if not checker.names:
            raise ValueError("it names no column.")
        expression = ast.unparse(tree)
        _check_constants(expression, checker)
    except SyntaxError as error:
        raise ValueError(f"Condition {text!r} is not a valid expression ({error.msg}), as {_EXAMPLES} are.") from error
    except (ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        raise ValueError(f"Condition {text!r}: {error}") from error
    return Condition(text, expression, tuple(checker.names), frozenset(checker.numbers), tuple(checker.labels))


def _check_constants(expression: str, checker: _Checker) -> None:
    """Evaluates an expression on no rows, which raises an `ArithmeticError` where it divides by a constant 0."""
    dtypes = {
        name: float if kind == "number" else bool if kind == "flag" else object for name, kind in checker.names.items()
    }
    columns = {name: pd.Series(dtype=float if name in checker.numbers else dtype) for name, dtype in dtypes.items()}
    pd.DataFrame(columns).eval(expression, engine="python")


class _Checker(ast.NodeVisitor):
    """Checks an expression part by part and normalizes its texts. A visit returns what the part holds."""

    def __init__(self, columns: Columns):
        self.names: dict[str, Kind] = {}
        self.numbers: set[str] = set()
        self.labels: list[tuple[str, str]] = []
        self._texts: set[str] = set()
        self._columns = columns

    def generic_visit(self, node: ast.AST) -> str:
        raise ValueError(f"{ast.unparse(node)!r} is not allowed; expected comparisons such as {_EXAMPLES}.")

    def require_condition(self, node: ast.expr) -> None:
        """Raises a `ValueError` if a part is a value rather than a condition."""
        if self.visit(node) not in ("condition", "flag"):
            raise ValueError(f"{ast.unparse(node)!r} is not a condition; expected comparisons such as {_EXAMPLES}.")

    def visit_BoolOp(self, node: ast.BoolOp) -> str:
        for value in node.values:
            self.require_condition(value)
        return "condition"

    def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            self.require_condition(node.operand)
            return "condition"
        if isinstance(node.op, ast.Invert):
            return self.generic_visit(node)
        self._require_number(node.operand)
        return "number"

    def visit_BinOp(self, node: ast.BinOp) -> str:
        if not isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            return self.generic_visit(node)
        self._require_number(node.left)
        self._require_number(node.right)
        return "number"

    def visit_Name(self, node: ast.Name) -> str:
        self.names[node.id] = self._columns.kind(node.id)
        return self.names[node.id]

    def visit_Constant(self, node: ast.Constant) -> str:
        if isinstance(node.value, str):
            node.value = self._columns.normalize(node.value)
            return "text"
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            node.value = float(node.value)
            return "number"
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> str:
        operands = [node.left]
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            is_list = isinstance(operand, ast.List | ast.Tuple)
            if isinstance(operator, ast.Is | ast.IsNot) or is_list != isinstance(operator, ast.In | ast.NotIn):
                raise ValueError(
                    "`in` and `not in` need a list such as ['happy', 'neutral'], other comparisons a value."
                )
            operands += operand.elts if isinstance(operand, ast.List | ast.Tuple) else [operand]
        kinds = [self.visit(operand) for operand in operands]
        if "number" in kinds or any(isinstance(operator, _ORDERINGS) for operator in node.ops):
            for operand, kind in zip(operands, kinds, strict=True):
                self._as_number(operand, kind)
        else:
            self._check_texts(operands, kinds)
        return "condition"

    def _require_number(self, node: ast.expr) -> None:
        self._as_number(node, self.visit(node))

    def _as_number(self, node: ast.expr, kind: str) -> None:
        if kind == "manifest":
            self.numbers.add(ast.unparse(node))
        elif kind == "label":
            raise ValueError(f"{ast.unparse(node)} is a class; its score, a number, is {ast.unparse(node)}_score.")
        elif kind != "number":
            raise ValueError(f"{ast.unparse(node)} is not a number, and cannot be compared with one.")
        self._check_use()

    def _check_texts(self, operands: Sequence[ast.expr], kinds: Sequence[str]) -> None:
        named = {kind: [ast.unparse(x) for x, k in zip(operands, kinds, strict=True) if k == kind] for kind in kinds}
        if not named.keys() <= {"label", "manifest", "text"}:
            raise ValueError("a condition cannot be compared; use `and`, `or` and `not`.")
        for head in named.get("label", ()):
            known = self._columns.labels[self._columns.scores[head]]
            normalized = {self._columns.normalize(label) for label in known}
            for operand in operands:
                if isinstance(operand, ast.Constant) and operand.value not in normalized:
                    raise ValueError(f"the model has no {head} {operand.value!r}; it has {', '.join(known)}.")
            self.labels += [(head, name) for name in named.get("manifest", ())]
        self._texts.update(named.get("manifest", ()))
        self._check_use()

    def _check_use(self) -> None:
        if both := sorted(self.numbers & self._texts):
            raise ValueError(f"{both[0]} is compared both with a text and with a number; use two conditions.")


def evaluate(conditions: Sequence[Condition], frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Why rows do not fulfil conditions.

    What sounds the same is compared last, so that of several recordings one is kept that fulfils all else.

    Args:
        conditions: as [`parse_conditions`] returns them.
        frame: has the columns that [`Columns.needs`] says; the computed ones are added to it.
        columns: that are known.

    Returns:
        A column per condition, by its text, in their order; `None` where a row fulfils it.
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
    """For each head that a condition compares with the manifest: head, column, and the rows whose label is no class."""
    for head, name in condition.labels:
        classes = {columns.normalize(label) for label in columns.labels[columns.scores[head]]}
        yield head, name, frame[name].notna() & ~frame[name].map(columns.normalize).isin(classes)


def _reasons(condition: Condition, frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Why each row does not fulfil a condition. A row that lacks a value that it names does not fulfil it."""
    typed = _typed(condition, frame, columns)
    reasons = _invalid_values(condition, frame, typed, columns)
    fulfilled = pd.Series(typed.eval(condition.expression, engine="python"), frame.index).astype(bool)
    unfulfilled = frame[reasons.isna() & ~fulfilled]
    for row, values in zip(unfulfilled.index, unfulfilled.to_dict("records"), strict=True):
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
