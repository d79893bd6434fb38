"""Convolutions of few channels in float32 within a bfloat16 model on a CPU, where oneDNN computes them wrong.

On processors with AMX oneDNN 3.12 (torch 2.13) computes wrong numbers, with a relative error of 1, for up to 15 input
channels a group and kernels whose length is a multiple of 8. https://github.com/pytorch/pytorch/issues/163347 reports
this for one input channel; https://github.com/pytorch/pytorch/issues/169688 is related.
"""

from __future__ import annotations

from types import MethodType

import torch
from torch import nn

_MIN_CHANNELS = 32  # input channels a group from which bfloat16 is used: twice the number that is known to be right


def keep_narrow_convolutions_in_float32(model: nn.Module) -> None:
    """Makes convolutions of few channels compute in float32 where the model computes in bfloat16 on a CPU.

    This holds for a model in bfloat16 and for one under autocast, and for the gradient as well. Other devices and
    precisions compute as before, and the weights keep their names and type.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d) and module.in_channels // module.groups < _MIN_CHANNELS:
            vars(module)["_conv_forward"] = MethodType(_convolve_in_float32, module)


def _convolve_in_float32(
    convolution: nn.Conv1d | nn.Conv2d, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """`_conv_forward` of a convolution: `(batch, channels, …)` -> `(batch, out_channels, …)`."""
    compute = type(convolution)._conv_forward.__get__(convolution)
    in_autocast = torch.is_autocast_enabled("cpu")
    dtype = torch.get_autocast_dtype("cpu") if in_autocast else values.dtype
    output: torch.Tensor
    if values.device.type != "cpu" or dtype != torch.bfloat16:
        output = compute(values, weight, bias)
        return output
    with torch.autocast("cpu", enabled=False):
        output = compute(values.float(), weight.float(), None if bias is None else bias.float())
    return output.to(dtype)
