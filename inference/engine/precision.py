"""`--precision`, and what `auto` chooses: bfloat16 where it is faster than float32, and outputs differ little."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from common.processor import may_gain_from_bfloat16

TORCH_PRECISIONS = ("float32", "bfloat16")
ONNX_PRECISIONS = ("float32", "int8", "float16")
# Where bfloat16 pays it is twice as fast and more. Less may be chance, and is not worth another rounding.
MIN_SPEEDUP = 1.2
# Of a probability, or of a number in standard deviations of its target. Rounding alone gives 0.02.
MAX_DIFFERENCE = 0.05


def add_precision_flag(parser: argparse.ArgumentParser, *, onnx: bool = False) -> None:
    """Adds `--precision`, by default `auto`.

    Args:
        parser: of a command.
        onnx: whether the command computes with ONNX, too.
    """
    precisions = dict.fromkeys(TORCH_PRECISIONS + (ONNX_PRECISIONS if onnx else ()))
    note = "; int8 and float16 need --backend onnx" if onnx else ""
    parser.add_argument(
        "--precision",
        choices=("auto", *precisions),
        default="auto",
        help="of the computation (default: auto, which is bfloat16 where the processor computes it faster and "
        f"outputs are within {MAX_DIFFERENCE} of float32's, and otherwise float32){note}",
    )


@dataclass(frozen=True)
class Comparison:
    """A model in bfloat16 compared with the same model in float32, on one processor.

    Args:
        speedup: how many times as fast it computes a clip.
        difference: the largest difference of an output: of a probability, or of a number in standard deviations of its
            target. `None` where an output in bfloat16 is not finite.
    """

    speedup: float
    difference: float | None


@dataclass(frozen=True)
class Choice:
    """What `auto` chose.

    Args:
        precision: `"float32"` or `"bfloat16"`.
        reason: for people, what was measured; empty where there was nothing to choose.
    """

    precision: str
    reason: str = ""


def choose_precision(has_bfloat16: bool, num_parameters: int, compare: Callable[[], Comparison | None]) -> Choice:
    """The precision of a model on a device.

    Args:
        has_bfloat16: whether the device has instructions for bfloat16.
        num_parameters: of the model.
        compare: compares the precisions on the device; it is called only where the choice depends on it. `None` where
            nothing was measured, and nothing is to be.
    """
    if not may_gain_from_bfloat16(has_bfloat16, num_parameters):
        return Choice("float32")
    found = compare()
    if found is None:
        return Choice("float32")
    if found.difference is None:
        return Choice("float32", "outputs in bfloat16 are not finite")
    if found.difference > MAX_DIFFERENCE:
        return Choice("float32", f"outputs in bfloat16 differ by up to {found.difference:.2g}")
    if found.speedup < MIN_SPEEDUP:
        return Choice("float32", f"bfloat16 is {found.speedup:.2g} times as fast here")
    return Choice("bfloat16", f"{found.speedup:.2g} times as fast as float32 here")
