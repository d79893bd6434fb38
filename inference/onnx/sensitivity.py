"""How much 8 bits in each group of a network's weight products change its outputs, measured on clips.

A group is a transformer layer, or a single projection or convolution outside them, named by its path in the model.
8 bits are simulated in PyTorch, with the rounding of `write_int8`: weights per output channel, activations per tensor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from modeling import length_grouped_batches

from ..engine.backend import pad
from ..engine.torch_backend import torch_network

# Of the outputs' standard deviation over clips. `benchmarks.inference` prints for how many recordings the released
# model keeps its emotion with it.
BOUND = 0.05
_BATCH_SIZE = 8
MIN_CHANNELS = 32  # of a convolution
_TINY = torch.finfo(torch.float32).tiny
Outputs = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Sensitivity:
    """What 8 bits change, as root mean squares over clips and heads, in standard deviations of the outputs over clips.

    Args:
        groups: group to the change where it alone is in 8 bits.
        exact: the groups that stay in float32, so that the squares of the others add up to that of the bound at most.
        change: with all other groups in 8 bits, as measured.
    """

    groups: dict[str, float]
    exact: list[str]
    change: float

    @property
    def quantized(self) -> list[str]:
        """The groups in 8 bits."""
        return [group for group in self.groups if group not in self.exact]


def product_groups(model: PreTrainedModel) -> list[str]:
    """The groups of a transformer, the lowest first. The heads are in none and stay in float32."""
    encoder: Any = model
    layers = [f"{encoder.encoder_path}.{encoder.layers_path}.{index}" for index in range(len(encoder.layers))]
    groups = (next((layer for layer in layers if path.startswith(f"{layer}.")), path) for path in _products(model))
    return list(dict.fromkeys(groups))


def _products(model: nn.Module) -> dict[str, nn.Linear | nn.Conv1d]:
    """Path to module of all that `write_int8` can compute in 8 bits."""
    found: dict[str, nn.Linear | nn.Conv1d] = {}
    for path, module in model.named_modules():
        if (isinstance(module, nn.Linear) and not path.startswith("heads.")) or (
            isinstance(module, nn.Conv1d)
            and (module.groups, module.dilation, module.padding) == (1, (1,), (0,))
            and module.in_channels >= MIN_CHANNELS
        ):
            found[path] = module
    return found


def measure_sensitivity(model: PreTrainedModel, clips: Sequence[np.ndarray], bound: float) -> Sensitivity:
    """Measures each group alone, and chooses the fewest groups that stay in float32.

    The changes of the groups are taken to be independent: their squares add up.

    Args:
        model: a transformer in float32.
        clips: mono float32 at 16 kHz, each `(samples,)`.
        bound: of the change of the outputs.

    Raises:
        ValueError: no group can be in 8 bits within the bound.
    """
    expected = _outputs(model, clips)
    groups = {}
    for group in product_groups(model):
        with eight_bits(model, [group]):
            groups[group] = relative_change(expected, _outputs(model, clips))
    exact = choose_exact(groups, bound)
    with eight_bits(model, groups.keys() - exact):
        return Sensitivity(groups, exact, relative_change(expected, _outputs(model, clips)))


def choose_exact(groups: Mapping[str, float], bound: float) -> list[str]:
    """The fewest groups without which the root of the sum of squares is within the bound: the most sensitive ones.

    Raises:
        ValueError: these are all groups.
    """
    ascending = sorted(groups, key=lambda group: groups[group])
    predicted = np.sqrt(np.cumsum([groups[group] ** 2 for group in ascending]))
    exact = ascending[int((predicted <= bound).sum()) :]
    if len(exact) == len(groups):
        raise ValueError(
            f"8 bits in {ascending[0]} alone would change the outputs by {groups[ascending[0]]:.1%} of their standard "
            f"deviation over clips; expected at most {bound:.1%}. Leave int8 out."
        )
    return [group for group in groups if group in exact]


def relative_change(expected: Outputs, found: Outputs) -> float:
    """Root mean square over heads of a difference, in standard deviations of what is expected over clips.

    Args:
        expected, found: head to outputs `(clips, outputs)`.
    """
    shares = [((found[head] - outputs) ** 2).mean() / outputs.var(axis=0).mean() for head, outputs in expected.items()]
    return float(np.sqrt(np.mean(shares)))


@contextlib.contextmanager
def eight_bits(model: nn.Module, groups: Collection[str]) -> Iterator[None]:
    """Within it the model computes the products of these groups as with operands in 8 bits."""
    paths = tuple(f"{group}." for group in groups)
    products = {path: module.weight for path, module in _products(model).items() if f"{path}.".startswith(paths)}
    weights = {id(weight): _round_weight(weight.detach()) for weight in products.values()}

    def rounded(compute: Any) -> Any:
        def computed(values: torch.Tensor, weight: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            if id(weight) in weights:
                values, weight = _round_activations(values), weights[id(weight)]
            return compute(values, weight, *args, **kwargs)

        return computed

    # The convolutions are those of the graph, which get the weights as they are, and not as a matrix.
    adapted = {
        module: vars(module).pop("_conv_forward") for module in model.modules() if "_conv_forward" in vars(module)
    }
    exact = F.linear, F.conv1d
    # Not hooks of the modules, nor a `TorchFunctionMode`: WavLM's attention gives their weights to a function of
    # PyTorch that calls these two, within which such a mode is off.
    F.linear, F.conv1d = map(rounded, exact)
    try:
        yield
    finally:
        F.linear, F.conv1d = exact
        for module, forward in adapted.items():
            vars(module)["_conv_forward"] = forward


def _round_weight(weight: torch.Tensor) -> torch.Tensor:
    """`(outputs, inputs, …)` in 129 steps per output, from -64 to 64."""
    largest = weight.abs().amax(dim=tuple(range(1, weight.ndim)), keepdim=True)
    scale = largest.clamp(min=_TINY) / 64
    return (weight / scale).round() * scale


def _round_activations(values: torch.Tensor) -> torch.Tensor:
    """In 256 steps from the smallest value to the largest, one of which is 0, as ONNX's DynamicQuantizeLinear."""
    low, high = values.min().clamp(max=0), values.max().clamp(min=0)
    scale = (high - low).clamp(min=_TINY) / 255
    zero = (-low / scale).round()
    return ((values / scale).round() + zero).clamp(0, 255).sub(zero) * scale


def _outputs(model: PreTrainedModel, clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Head to outputs `(clips, outputs)`, the same batches each time."""
    network = torch_network(model)
    batches = length_grouped_batches([clip.size for clip in clips], _BATCH_SIZE)
    outputs = [network(*pad([clips[index] for index in batch])) for batch in batches]
    return {head: np.concatenate([of[head] for of in outputs]) for head in outputs[0]}
