import platform
import subprocess
import sys

import pytest
import torch
from transformers import Wav2Vec2Config
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder

from modeling import SAMPLING_RATE, load_audio
from modeling.cpu_ser import BlockwiseFeatureEncoder, keep_narrow_convolutions_in_float32
from tests.conftest import ROOT, voice

FIELD, STRIDE = 400, 320  # samples: of XLSR-53's receptive field, and from frame to frame

PROGRAM = """
import resource, sys, torch
from modeling.cpu_ser import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
size = 20_000_000  # 80 MB
torch.ones(size)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
total = sum(torch.ones(size).sum().item() for _ in range(20))
assert total == 20 * size
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.fixture(scope="module")
def encoders() -> tuple[Wav2Vec2FeatureEncoder, BlockwiseFeatureEncoder]:
    """That of transformers, with XLSR-53's kernels and strides, and ours with the same weights."""
    torch.manual_seed(0)
    plain = Wav2Vec2FeatureEncoder(Wav2Vec2Config(conv_dim=(24,) * 7, feat_extract_norm="layer", conv_bias=True))
    for layer in plain.conv_layers:
        torch.nn.init.uniform_(layer.layer_norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(layer.layer_norm.bias)
    return plain.eval(), BlockwiseFeatureEncoder(plain).eval()


def difference(encoders, waveforms: torch.Tensor) -> float:
    plain, blockwise = encoders
    with torch.no_grad():
        expected, found = plain(waveforms), blockwise(waveforms)
    assert found.shape == expected.shape
    assert expected.std() > 0.1
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize("batch", [1, 3, 300])
@pytest.mark.parametrize(
    "samples", [FIELD, FIELD + STRIDE - 1, FIELD + STRIDE, FIELD + 255 * STRIDE, FIELD + 256 * STRIDE, 90_001]
)
def test_frames_are_those_of_transformers_wherever_a_block_ends(encoders, batch, samples):
    samples = min(samples, 4_000_000 // batch)
    noise = torch.randn(batch, samples, generator=torch.Generator().manual_seed(samples))
    assert difference(encoders, noise) < 2e-6


def test_frames_are_those_of_transformers_on_real_recordings(encoders, real_audio):
    for path in sorted(real_audio.glob("*/**/*.wav"))[::150]:
        waveform = torch.from_numpy(load_audio(path, end_s=6.0))
        assert difference(encoders, (waveform / waveform.std())[None]) < 2e-6


def test_what_is_frozen_or_not_is_computed_in_blocks_or_with_a_graph(encoders):
    plain, blockwise = encoders
    waveform = torch.from_numpy(voice(1.0, 150))[None]
    assert blockwise(waveform).requires_grad
    blockwise(waveform).sum().backward()
    gradient = blockwise.conv_layers[0].conv.weight.grad.clone()
    plain.zero_grad()
    plain(waveform).sum().backward()
    torch.testing.assert_close(gradient, plain.conv_layers[0].conv.weight.grad)
    blockwise.requires_grad_(False)
    assert not blockwise(waveform).requires_grad
    heard = waveform.clone().requires_grad_()
    blockwise(heard).sum().backward()
    assert heard.grad.abs().max() > 0  # which sample mattered can be asked of a frozen encoder too
    blockwise.requires_grad_(True)


def test_the_field_and_the_stride_are_those_of_the_layers(encoders):
    assert (encoders[1].field, encoders[1].stride) == (FIELD, STRIDE)
    assert SAMPLING_RATE / STRIDE == 50  # frames a second


def pages_fetched(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that gives memory back")
def test_the_memory_of_a_freed_tensor_is_not_fetched_again():
    assert pages_fetched("keep") < 0.2 * pages_fetched("leave")


@pytest.mark.parametrize("channels", [2, 4, 8, 15, 16, 31])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("kernel", [3, 8, 16, 128])
@pytest.mark.parametrize("autocast", [False, True])
def test_narrow_convolutions_are_right_in_bfloat16(channels, groups, kernel, autocast):
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(channels * groups, 16 * groups, kernel, groups=groups, padding=kernel // 2)
    exact = outputs_and_gradients(convolution, torch.randn(2, channels * groups, 150))
    keep_narrow_convolutions_in_float32(convolution)
    if not autocast:
        convolution.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        rounded = outputs_and_gradients(convolution, torch.randn(2, channels * groups, 150))
    assert rounded[0].dtype == torch.bfloat16
    for near, right in zip(rounded, exact, strict=True):
        assert (near.float() - right).norm() < 0.02 * right.norm()


def test_convolutions_of_other_precisions_are_left_alone():
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(4, 8, 3)
    values = torch.randn(1, 4, 20)
    plain = convolution(values)
    keep_narrow_convolutions_in_float32(convolution)
    torch.testing.assert_close(convolution(values), plain, rtol=0, atol=0)
    assert convolution.double()(values.double()).dtype == torch.float64


def outputs_and_gradients(convolution: torch.nn.Conv1d, values: torch.Tensor) -> list[torch.Tensor]:
    """What a convolution makes of the values, and of ones that come back from there."""
    torch.manual_seed(1)
    values = torch.randn_like(values).to(convolution.weight.dtype).requires_grad_()
    convolution.zero_grad()
    output = convolution(values)
    output.float().sum().backward()
    return [tensor.detach().clone() for tensor in (output, values.grad, convolution.weight.grad)]
