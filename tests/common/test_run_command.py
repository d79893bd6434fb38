import argparse
import ast
import io
import os
import sys

import pytest

from common.command_line import pair, run_command
from tests.support.source_files import MODULES, SCRIPTS, name_of, parse


def test_a_console_without_a_character_shows_its_code_point(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    run_command("a", lambda: print("é – \udce9"))
    console.flush()
    assert console.buffer.getvalue() == rb"\xe9 \u2013 \udce9" + b"\n"


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_what_is_not_a_console_is_left_alone(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    run_command("a", lambda: None)
    assert sys.stdout is stream


def test_a_command_that_is_interrupted_ends_with_its_name_and_a_hint():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_command("a.py", stop, " More.")
    assert end.value.code == "a.py: stopped. More."


@pytest.mark.parametrize("given", [None, "8"])
def test_a_command_keeps_few_shapes_in_memory_unless_told_otherwise(monkeypatch, given):
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", given or "")
    if given is None:
        monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY")
    run_command("a", lambda: None)
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == (given or "64")


def test_every_command_runs_in_that_frame():
    commands = [path for path in [*MODULES, *SCRIPTS] if "__main__" in path.read_text(encoding="utf-8")]
    assert len(commands) > len(SCRIPTS)
    for path in commands:
        (last,) = [node for node in parse(path).body[-1:] if isinstance(node, ast.If)]
        assert "run_command(" in ast.unparse(last), name_of(path)


def test_a_pair_has_two_sides():
    assert pair("a=b=c") == ("a", "b=c")
    for text in ("a", "a=", "=b", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            pair(text)
