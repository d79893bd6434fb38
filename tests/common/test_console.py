import argparse
import ast
import io
import sys

import pytest

from common.command_line import pair, print_any_text
from tests.test_architecture import MODULES, SCRIPTS, name_of, parse


def test_a_console_without_a_character_shows_its_code_point(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    print_any_text()
    print("é – \udce9")
    console.flush()
    assert console.buffer.getvalue() == rb"\xe9 \u2013 \udce9" + b"\n"


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_what_is_no_console_is_left_alone(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    print_any_text()
    assert sys.stdout is stream


def test_every_command_can_print_anything_before_it_prints():
    missing = []
    for path in [*MODULES, *SCRIPTS]:
        is_command = "__main__" in path.read_text(encoding="utf-8")
        mains = [node for node in parse(path).body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        if is_command and not any("print_any_text()" in map(ast.unparse, main.body[:3]) for main in mains):
            missing.append(name_of(path))
    assert missing == []


def test_a_pair_has_two_sides():
    assert pair("a=b=c") == ("a", "b=c")
    for text in ("a", "a=", "=b", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            pair(text)
