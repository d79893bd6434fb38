"""What makes the networks fast on a CPU, and right there in bfloat16."""

from __future__ import annotations

import ctypes
import platform
from types import MethodType

import torch
from torch import nn
from torch.nn import functional as F
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder, Wav2Vec2LayerNormConvLayer

# Frames of the whole batch that are computed at once: their largest activations take 33 MB at XLSR-53's width. With
# fewer the threads meet too often, which costs most where other programs keep the processor busy.
_BLOCK_FRAMES = 256
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h
# Input channels a group, below which a convolution is not computed in bfloat16 on a CPU. On processors with AMX
# oneDNN 3.12 (torch 2.13) computes wrong numbers, with a relative error of 1, for up to 15 channels and kernels whose
# length is a multiple of 8. It is a relative of pytorch/pytorch#163347 and #169688; no issue of this case was found.
_WIDE_ENOUGH_FOR_BFLOAT16 = 32


class BlockwiseFeatureEncoder(Wav2Vec2FeatureEncoder):
    """The convolutional feature encoder of wav2vec 2.0, computed on the CPU in blocks that stay in its cache.

    A frame depends on its receptive field alone, since layer norm is taken over the channels of a frame. So a few
    frames at a time go through all layers, with the channels last, where a convolution is one matrix product and
    layer norm needs no transposed copy. The answer is that of
    [`~transformers.models.wav2vec2.modeling_wav2vec2.Wav2Vec2FeatureEncoder`] but for the order of sums. On a GPU, and
    where a gradient is needed or a graph is recorded, it computes as that does.

    Args:
        encoder: an encoder with layer norm, whose layers it takes over.
    """

    def __init__(self, encoder: Wav2Vec2FeatureEncoder):
        super(Wav2Vec2FeatureEncoder, self).__init__()  # no layers of its own: they would cost time and random numbers
        self.conv_layers = encoder.conv_layers
        self.gradient_checkpointing = encoder.gradient_checkpointing
        self._requires_grad = encoder._requires_grad
        self.stride, self.field = 1, 1  # samples from frame to frame, and those that one frame hears
        for layer in self.conv_layers:
            self.field += (layer.conv.kernel_size[0] - 1) * self.stride
            self.stride *= layer.conv.stride[0]

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        """Waveforms `(batch, samples)`, at least one frame long, to frames `(batch, conv_dim[-1], frames)`."""
        if input_values.device.type != "cpu" or self._needs_graph(input_values):
            return super().forward(input_values)
        with torch.no_grad():
            return self._in_blocks(input_values)

    def _needs_graph(self, input_values: torch.Tensor) -> bool:
        inputs = (input_values, *self.parameters())
        needs_gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
        return needs_gradient or torch.compiler.is_compiling()

    def _in_blocks(self, input_values: torch.Tensor) -> torch.Tensor:
        batch, samples = input_values.shape
        count = (samples - self.field) // self.stride + 1
        frames = input_values.new_empty(batch, count, self.conv_layers[-1].out_conv_dim)
        weights = [layer.conv.weight.transpose(1, 2).flatten(1) for layer in self.conv_layers]
        at_once = max(1, _BLOCK_FRAMES // batch)
        for first in range(0, count, at_once):
            last = min(first + at_once, count)
            block = input_values[:, first * self.stride : (last - 1) * self.stride + self.field, None]
            for layer, weight in zip(self.conv_layers, weights, strict=True):
                block = _convolve(block, layer, weight)
            frames[:, first:last] = block
        return frames.transpose(1, 2)


def _convolve(block: torch.Tensor, layer: Wav2Vec2LayerNormConvLayer, weight: torch.Tensor) -> torch.Tensor:
    """One layer: `(batch, time, channels)` -> `(batch, shorter time, more channels)`; `weight`: (out, kernel * in)."""
    batch, time, channels = block.shape
    kernel, stride = layer.conv.kernel_size[0], layer.conv.stride[0]
    steps = (time - kernel) // stride + 1
    of_clip, of_step, of_channel = block.stride()
    heard = block.as_strided((batch, steps, kernel * channels), (of_clip, stride * of_step, of_channel))
    product = F.linear(heard.flatten(0, 1), weight, layer.conv.bias)  # one for all clips, not one for each
    return layer.activation(layer.layer_norm(product)).unflatten(0, (batch, steps))


def keep_narrow_convolutions_in_float32(model: nn.Module) -> None:
    """Makes convolutions of few channels compute in float32 where the model computes in bfloat16 on a CPU.

    It holds for a model in bfloat16 and for one under autocast, for the gradient as well. Other devices and precisions
    compute as before, and the weights keep their names and type.
    """
    for module in model.modules():
        narrow = isinstance(module, nn.Conv1d | nn.Conv2d) and (
            module.in_channels // module.groups < _WIDE_ENOUGH_FOR_BFLOAT16
        )
        if narrow:
            module._conv_forward = MethodType(_convolve_in_float32, module)


def _convolve_in_float32(
    convolution: nn.Conv1d | nn.Conv2d, values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    compute = type(convolution)._conv_forward
    in_autocast = torch.is_autocast_enabled("cpu")
    dtype = torch.get_autocast_dtype("cpu") if in_autocast else values.dtype
    if values.device.type != "cpu" or dtype != torch.bfloat16:
        return compute(convolution, values, weight, bias)
    with torch.autocast("cpu", enabled=False):
        exact = compute(convolution, values.float(), weight.float(), None if bias is None else bias.float())
    return exact.to(dtype)


def keep_freed_memory() -> None:
    """Makes the C library keep the memory of freed tensors for new ones, in this process from now on.

    By default glibc hands a block above 32 MB back to the system and fetches the next one anew, page by page, zeroed.
    A batch has such blocks in every layer. The process keeps its largest size. Where the C library is another one,
    nothing changes.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, -1)
