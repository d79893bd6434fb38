"""A graph in float32 -> the same graph with products in 8 bits."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from transformers import PreTrainedModel

from modeling import PannsForMultiTaskSER

from .graph import quiet
from .sensitivity import MIN_CHANNELS

if TYPE_CHECKING:
    from onnxscript import ir

_TO_THE_END = np.iinfo(np.int64).max  # of Slice


def check_int8(model: PreTrainedModel) -> None:
    """Raises a `ValueError` if the network is not a transformer."""
    if isinstance(model, PannsForMultiTaskSER):
        raise ValueError(
            "int8 quantizes the products of a transformer, and CNN14 consists of convolutions in two dimensions: leave "
            "int8 out."
        )


def write_int8(source: Path, file: Path, groups: Collection[str]) -> None:
    """Writes a graph that computes the weight products of these groups in 8 bits, and everything else in float32.

    Weights are rounded per output channel. Their activations are rounded per batch, when they are computed.

    Args:
        source: that `write_float32` wrote.
        file: to write.
        groups: of [`~inference.onnx.sensitivity.product_groups`].
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxscript import ir

    program = ir.load(source)
    paths = tuple(f"{group}{end}" for group in groups for end in "./")
    nodes = [node for node in program.graph if str(node.name).startswith(paths) and _is_product(node)]
    for node in nodes:
        if node.op_type == "Conv":
            _replace_convolution(program.graph, node)
    with quiet():
        quantize_dynamic(
            ir.to_proto(program),
            file,
            nodes_to_quantize=[str(node.name) for node in nodes],
            per_channel=True,
            reduce_range=True,  # 8 full bits overflow on processors without VNNI, with other outputs
            weight_type=QuantType.QInt8,
        )


def _is_product(node: ir.Node) -> bool:
    """Whether a node is one of the products that [`~inference.onnx.sensitivity.product_groups`] counts."""
    weights = [value.const_value for value in node.inputs if value is not None and value.is_initializer()]
    if node.op_type == "Conv" and weights and weights[0] is not None:
        is_plain = node.attributes.get_int("group", 1) == 1 and not any(node.attributes.get_ints("pads", [0]))
        return is_plain and weights[0].numpy().shape[1] >= MIN_CHANNELS
    return node.op_type == "MatMul" and bool(weights)


def _replace_convolution(graph: ir.Graph, node: ir.Node) -> None:
    """Computes a convolution over time, without padding, as one matrix product, which takes its name.

    ONNX Runtime's convolution in 8 bits is slower than the one in float32, and its product is several times as fast.
    """
    from onnxscript import ir

    values, kernel, *bias = (cast("ir.Value", value) for value in node.inputs)
    weight = cast("ir.TensorProtocol", kernel.const_value).numpy()  # (outputs, inputs, taps)
    taps, (stride,) = weight.shape[2], node.attributes.get_ints("strides", [1])
    tape = ir.tape.Tape()

    def constant(value: np.ndarray, name: str) -> ir.Value:
        return tape.initializer(ir.tensor(value), f"{node.name}_{name}")

    frames = tape.op("Transpose", [values], {"perm": [0, 2, 1]})
    axis, step = (constant(np.array([number]), name) for number, name in ((1, "axis"), (stride, "stride")))
    parts = []
    for tap in range(taps):
        last = tap - taps + 1 or _TO_THE_END
        bounds = [constant(np.array([number]), f"{name}_{tap}") for number, name in ((tap, "first"), (last, "last"))]
        parts.append(tape.op("Slice", [frames, *bounds, axis, step]))
    columns = tape.op("Concat", parts, {"axis": 2})
    matrix = constant(np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, weight.shape[0])), "matrix")
    product = tape.op("MatMul", [columns, matrix], name=node.name)
    if bias:
        product = tape.op("Add", [product, bias[0]])
    result = tape.op("Transpose", [product], {"perm": [0, 2, 1]})
    for value in tape.initializers:
        graph.register_initializer(value)
    for new in tape.nodes:
        new.outputs[0].type = values.type  # the quantization needs it, and cannot always infer it
    graph.insert_before(node, tape.nodes)
    ir.convenience.replace_all_uses_with(node.outputs[0], result)
    graph.remove(node, safe=True)
