import math

import pytest

from common.command_line import FlagParser
from common.processor import MIN_PARAMETERS_FOR_BFLOAT16
from inference.engine.onnx_backend import FILES
from inference.engine.precision import (
    MAX_DIFFERENCE,
    MIN_SPEEDUP,
    ONNX_PRECISIONS,
    Comparison,
    add_precision_flag,
    choose_precision,
)

LARGE, SMALL = 20_000_000, MIN_PARAMETERS_FOR_BFLOAT16 - 1


def unexpected():
    raise AssertionError("nothing is to be measured")


@pytest.mark.parametrize(("has_bfloat16", "size"), [(False, LARGE), (False, SMALL), (True, SMALL)])
def test_without_instructions_or_for_a_small_network_it_is_float32_and_nothing_is_measured(has_bfloat16, size):
    choice = choose_precision(has_bfloat16, size, unexpected)
    assert (choice.precision, choice.reason) == ("float32", "")


@pytest.mark.parametrize(
    ("speedup", "difference", "expected"),
    [
        (2.9, 0.01, "bfloat16"),  # AMX
        (MIN_SPEEDUP, MAX_DIFFERENCE, "bfloat16"),
        (1.1, 0.01, "float32"),
        (0.1, 0.01, "float32"),  # an AMX processor whose oneDNN is limited to AVX2
        (2.9, 0.2, "float32"),
        (2.9, math.inf, "float32"),
        (2.9, None, "float32"),
    ],
)
def test_bfloat16_needs_to_be_faster_and_to_give_the_same_outputs(speedup, difference, expected):
    choice = choose_precision(True, LARGE, lambda: Comparison(speedup, difference))
    assert choice.precision == expected
    assert choice.reason


def parse(*given, onnx=False):
    parser = FlagParser("command")
    add_precision_flag(parser, onnx=onnx)
    return parser.parse_args(list(given)).precision


def test_auto_is_the_default():
    assert parse() == parse(onnx=True) == "auto"


@pytest.mark.parametrize("onnx", [False, True])
@pytest.mark.parametrize("value", ["fp16", "half", ""])
def test_a_value_that_does_not_exist_is_refused_with_those_that_do(capsys, onnx, value):
    with pytest.raises(SystemExit) as ended:
        parse("--precision", value, onnx=onnx)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert {name for name in ("auto", "float32", "bfloat16") if name in error} == {"auto", "float32", "bfloat16"}
    assert ("int8" in error) == onnx


def test_the_precisions_of_onnx_are_those_that_it_has_files_for():
    assert set(ONNX_PRECISIONS) == set(FILES)
    for name in ONNX_PRECISIONS:
        assert parse("--precision", name, onnx=True) == name
