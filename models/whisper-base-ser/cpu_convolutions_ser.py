"""Convolutions on a CPU, where PyTorch computes those of speech encoders slowly, and some of them wrong.

A feature encoder on waveforms normalizes over channels after a convolution. In the usual memory layout `(batch,
channels, frames)` PyTorch copies the values before and after each norm, and again before the next convolution. Here the
values lie in memory as `(batch, frames, channels)` from the first convolution to the last, as a norm takes them.

On processors with AMX oneDNN 3.12 (torch 2.13) computes wrong numbers in bfloat16, with a relative error of 1, for up
to 15 input channels a group and kernels whose length is a multiple of 8.
https://github.com/pytorch/pytorch/issues/163347 reports this for one input channel;
https://github.com/pytorch/pytorch/issues/169688 is related.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_Convolution = nn.Conv1d | nn.Conv2d
_MIN_CHANNELS = 32  # input channels a group from which bfloat16 is used: twice the number that is known to be right


def adapt_convolutions_to_cpu(model: nn.Module) -> None:
    """Makes the convolutions of a model fast and right where it computes on a CPU.

    Strided convolutions without padding leave their output in memory as `(batch, frames, channels)`, but not in a graph
    that is compiled or exported. Other convolutions of few channels compute in float32 within a model in bfloat16, or
    under autocast to it. Both hold for the gradient as well. Other devices compute as before, and the weights keep
    their names, shapes, and type.
    """
    for module in model.modules():
        if isinstance(module, _Convolution) and (_is_strided(module) or _is_narrow(module)):
            vars(module)["_conv_forward"] = partial(_convolve, module)


def _is_strided(convolution: _Convolution) -> bool:
    """Whether windows over time overlap by half at most, as those of every feature encoder on waveforms do."""
    if not isinstance(convolution, nn.Conv1d):
        return False
    (kernel,), (stride,) = convolution.kernel_size, convolution.stride
    plain = convolution.groups == 1 and convolution.padding == (0,) and convolution.dilation == (1,)
    return plain and stride > 1 and kernel <= 2 * stride


def _is_narrow(convolution: _Convolution) -> bool:
    return convolution.in_channels // convolution.groups < _MIN_CHANNELS


def _convolve(
    convolution: _Convolution, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """`_conv_forward` of a convolution: `(batch, channels, …)` -> `(batch, out_channels, …)`."""
    compute: Any = type(convolution)._conv_forward
    if values.device.type == "cpu":
        if _is_strided(convolution) and values.ndim == 3 and not torch.compiler.is_compiling():
            compute = _convolve_time_first
        elif _is_narrow(convolution) and _compute_dtype(values) == torch.bfloat16:
            compute = _convolve_in_float32
    output: torch.Tensor = compute(convolution, values, weight, bias)
    return output


def _convolve_time_first(
    convolution: nn.Conv1d, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """A strided convolution: `(batch, channels, samples)` -> `(batch, out_channels, frames)`.

    In bfloat16 oneDNN has a fast convolution for this layout. In float32 its gradient takes 1.5 to 2 times as long as
    that of the same numbers from a matrix product over windows, whose copy is 1.5 times as large as `values` for the
    usual kernel of 3 at a stride of 2.
    """
    (kernel,), (stride,) = convolution.kernel_size, convolution.stride
    if _compute_dtype(values) == torch.bfloat16 and not _is_narrow(convolution):
        time_first = weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        return F.conv2d(values.unsqueeze(2), time_first, bias, (1, stride)).squeeze(2)
    windows = values.transpose(1, 2).unfold(1, kernel, stride).transpose(2, 3).flatten(2)
    return F.linear(windows, weight.transpose(1, 2).flatten(1), bias).transpose(1, 2)


def _convolve_in_float32(
    convolution: _Convolution, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """A convolution of few channels."""
    compute: Any = type(convolution)._conv_forward
    with torch.autocast("cpu", enabled=False):
        output: torch.Tensor = compute(
            convolution, values.float(), weight.float(), None if bias is None else bias.float()
        )
    return output.to(torch.bfloat16)


def _compute_dtype(values: torch.Tensor) -> torch.dtype:
    """The type in which a convolution of `values` computes on a CPU."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else values.dtype
