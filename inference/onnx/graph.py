"""A model -> its complete ONNX graph, and the same graph in float16."""

from __future__ import annotations

import ast
import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from modeling import SAMPLING_RATE

from ..engine.onnx_backend import INPUTS

if TYPE_CHECKING:
    from onnxscript import ir

OPSET = 20
_PRODUCTS = ("Conv", "MatMul", "Gemm")
# Operators that ONNX Runtime computes in float32 with errors that grow with the number of samples: 96,000 of them are
# added one by one, and their Fourier transform is wrong by 1 %. PyTorch is exact to the last digits.
# https://github.com/microsoft/onnxruntime/issues/28450
_SENSITIVE = ("ReduceSum", "DFT")


def write_float32(model: PreTrainedModel, file: Path) -> None:
    """Writes the graph from waveforms at 16 kHz and their mask, both `(batch, samples)`, to one output per head.

    It contains everything that the model does: cutting, standardizing, padding, the network, masked pooling. The sizes
    of batch and samples are dynamic. The metadata of the file describes the outputs. The names of products begin with
    the path of their module in the model, and `/`.
    """
    from onnxscript import ir

    samples = max_samples_of(model) * 2 // 3
    attention_mask = torch.ones(2, samples, dtype=torch.int64)
    attention_mask[1, samples // 2 :] = 0
    dynamic = {0: "batch", 1: "samples"}
    with quiet():
        exported = torch.onnx.export(
            _Graph(model).eval(),
            (torch.randn(2, samples), attention_mask),
            dynamo=True,
            dynamic_shapes=(dynamic, dynamic),
            input_names=list(INPUTS),
            output_names=[task.name for task in model.config.get_tasks()],
            opset_version=OPSET,
            verbose=False,
        )
    program = cast(torch.onnx.ONNXProgram, exported)  # with `dynamo=True` it is never `None`
    for node in program.model.graph.all_nodes():
        if node.op_type in _PRODUCTS:
            node.name = f"{_module_path(node)}/{node.name}"
        node.metadata_props.clear()  # they contain paths of the exporting machine
    for node in [node for node in program.model.graph if node.op_type in _SENSITIVE]:
        if (value := node.inputs[0]) is not None and value.dtype == ir.DataType.FLOAT:
            _compute_in(program.model.graph, node, ir.DataType.DOUBLE)
    program.model.metadata_props.update(_describe(model))
    program.save(file)


def write_float16(model: PreTrainedModel, source: Path, file: Path) -> None:
    """Writes a graph whose weights, and the values that they are multiplied with, are in float16.

    Everything else stays as it is, because a waveform's energy alone exceeds float16's 65504; so do the heads, the
    layers that the model always keeps in float32, and what it computes in float64.
    """
    from onnxscript import ir
    from onnxscript.ir.passes.common import RemoveUnusedNodesPass

    program = ir.load(source)
    exact = model._keep_in_fp32_modules_strict or ()
    for node in [node for node in program.graph if node.op_type in _PRODUCTS]:
        weights = [value for value in node.inputs if value is not None and value.is_initializer()]
        names = " ".join(str(value.name) for value in weights)
        is_head = node.outputs[0].is_graph_output()
        is_float32 = {value.dtype for value in weights} == {ir.DataType.FLOAT}
        if is_float32 and not is_head and not any(name in names for name in exact):
            _compute_in(program.graph, node, ir.DataType.FLOAT16)
    RemoveUnusedNodesPass()(program)
    ir.save(program, file)


class _Graph(nn.Module):
    """The model as a function of two tensors.

    It cuts by itself: the model's own slice would be missing in the graph, because the traced clip is short.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model
        self.max_samples = max_samples_of(model)

    def forward(self, input_values: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        samples = min(input_values.shape[1], self.max_samples)
        return dict(self.model(input_values[:, :samples], attention_mask[:, :samples]).task_logits)


def max_samples_of(model: PreTrainedModel) -> int:
    """Samples of the model's window."""
    return round(model.config.max_duration_s * SAMPLING_RATE)


def _module_path(node: ir.Node) -> str:
    """The module whose `forward` a node is from: the exporter lists those around it, and the node itself."""
    *_, module, _ = ast.literal_eval(node.metadata_props["pkg.torch.onnx.name_scopes"])
    return str(module).removeprefix("model.")  # of `_Graph`


def _compute_in(graph: ir.Graph, node: ir.Node, dtype: ir.DataType) -> None:
    """Makes one node, whose float inputs are all float32, compute in another type."""
    from onnxscript import ir

    for index, value in enumerate(node.inputs):
        if value is None or value.dtype != ir.DataType.FLOAT:  # optional inputs may be absent
            continue
        if value.is_initializer():
            name = f"{value.name}_{dtype.name.lower()}"
            if name not in graph.initializers:
                weight = ir.tensor(cast(ir.TensorProtocol, value.const_value).numpy().astype(dtype.numpy()), name=name)
                graph.register_initializer(
                    ir.Value(name=name, const_value=weight, shape=value.shape, type=ir.TensorType(dtype))
                )
            node.replace_input_with(index, graph.initializers[name])
        else:
            conversion = ir.node("Cast", [value], {"to": dtype})
            graph.insert_before(node, conversion)
            node.replace_input_with(index, conversion.outputs[0])
    result = node.outputs[0]
    back = ir.node("Cast", [result], {"to": ir.DataType.FLOAT})
    back.outputs[0].shape, back.outputs[0].type = result.shape, result.type
    ir.convenience.replace_all_uses_with(result, back.outputs[0])
    back.replace_input_with(0, result)
    result.type = ir.TensorType(dtype)
    graph.insert_after(node, back)


def _describe(model: PreTrainedModel) -> dict[str, str]:
    """The file's metadata: the inputs, and the meaning of each output."""
    fields = ("name", "kind", "labels", "unit", "mean", "std")
    heads = [{field: task.to_dict()[field] for field in fields} for task in model.config.get_tasks()]
    return {
        "heads": json.dumps(heads, ensure_ascii=False),
        "main_head": model.config.main_task.name,
        "sampling_rate": str(SAMPLING_RATE),
        "max_duration_s": str(model.config.max_duration_s),
        "reading": "classification: softmax over the labels; regression: output * std + mean, in the unit",
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences the exporters' logs and warnings."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
