import argparse
import subprocess
import sys

import pytest

from common.command_line import FlagParser, closest, port, positive
from tests.conftest import ROOT

SCRIPTS = ("prepare.py", "train.py", "evaluate.py", "predict.py", "publish.py", "app.py")
MODULES = [
    *("inference.dubbing", "inference.curation", "inference.onnx", "preprocessing.audit"),
    *("preprocessing.demo", "benchmarks"),
]


@pytest.fixture
def parser() -> FlagParser:
    parser = FlagParser(prog="work.py")
    parser.add_argument("file", nargs="*")
    parser.add_argument("--learning_rate", "--learning-rate", type=float)
    parser.add_argument("--output", required=True)
    return parser


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("--lr", "--learning_rate"),
        ("--wd", "--weight_decay"),
        ("--epochs", "--num_train_epochs"),
        ("--batch_size", "--per_device_train_batch_size"),
        ("--learnin_rate", "--learning_rate"),
        ("--LEARNING-RATE", "--learning_rate"),
    ],
)
def test_the_closest_flag_is_found_by_initials_words_and_spelling(name, first):
    known = ["--learning_rate", "--weight_decay", "--num_train_epochs", "--per_device_train_batch_size", "--seed"]
    assert closest(name, known)[0] == first


def test_nothing_is_close_to_what_resembles_nothing():
    assert closest("--quux", ["--learning_rate", "--seed"]) == []


def test_an_unknown_flag_is_named_with_the_closest_before_anything_that_is_missing(parser, capsys):
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--lr", "1"])
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert "--lr" in printed
    assert "--learning_rate" in printed
    assert len(printed.splitlines()) <= 2


def test_known_flags_abbreviations_and_values_that_look_like_flags_pass(parser):
    args = parser.parse_args(["--out=x", "--learning-rate", "-1", "--", "--lr"])
    assert (args.output, args.learning_rate, args.file) == ("x", -1.0, ["--lr"])
    assert parser.parse_args(["--output", "x", "-- not a flag"]).file == ["-- not a flag"]


def test_a_parser_without_abbreviations_takes_whole_names_alone(capsys):
    parser = FlagParser(allow_abbrev=False)
    parser.add_argument("--output")
    with pytest.raises(SystemExit):
        parser.parse_args(["--out", "x"])
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[script] for script in SCRIPTS] + [["-m", module] for module in MODULES])
@pytest.mark.slow
def test_every_command_names_an_unknown_flag_in_two_lines(command):
    # Each in a process of its own, because a module that is run must not be one that was imported.
    arguments = [sys.executable, *command, "--outptu", "x"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "--outptu" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("kind", "or_zero", "text", "expected"),
    [
        (float, False, "0.5", 0.5),
        (int, False, "3", 3),
        (float, True, "0", 0.0),
        *((float, False, text, None) for text in ("0", "-1", "nan", "inf", "-inf", "1e999")),
        *((float, True, text, None) for text in ("-1", "nan", "inf")),
        *((int, False, text, None) for text in ("0", "-1", "1.5", "x")),
    ],
)
def test_a_positive_number_is_finite(kind, or_zero, text, expected):
    read = positive(kind, or_zero)
    if expected is not None:
        assert read(text) == expected
        return
    with pytest.raises((ValueError, argparse.ArgumentTypeError)):
        read(text)


def test_a_port_is_a_number_of_16_bits():
    assert [port(text) for text in ("0", "8000", "65535")] == [0, 8000, 65535]
    for text in ("-1", "65536", "1.5", "x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match=f"65535.*{text!r}"):
            port(text)


def test_a_flag_parser_is_an_argument_parser():
    assert issubclass(FlagParser, argparse.ArgumentParser)
