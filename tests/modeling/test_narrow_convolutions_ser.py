import pytest
import torch

from modeling.narrow_convolutions_ser import keep_narrow_convolutions_in_float32


@pytest.mark.parametrize("channels", [2, 4, 8, 15, 16, 31])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("kernel", [8, 128, *(pytest.param(size, marks=pytest.mark.slow) for size in (3, 16))])
@pytest.mark.parametrize("autocast", [False, True])
def test_narrow_convolutions_are_accurate_in_bfloat16(channels, groups, kernel, autocast):
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(channels * groups, 16 * groups, kernel, groups=groups, padding=kernel // 2)
    exact = outputs_and_gradients(convolution, torch.randn(2, channels * groups, 150))
    keep_narrow_convolutions_in_float32(convolution)
    if not autocast:
        convolution.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        rounded = outputs_and_gradients(convolution, torch.randn(2, channels * groups, 150))
    assert rounded[0].dtype == torch.bfloat16
    for found, expected in zip(rounded, exact, strict=True):
        assert (found.float() - expected).norm() < 0.02 * expected.norm()


def test_other_precisions_are_unchanged():
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(4, 8, 3)
    values = torch.randn(1, 4, 20)
    default = convolution(values)
    keep_narrow_convolutions_in_float32(convolution)
    torch.testing.assert_close(convolution(values), default, rtol=0, atol=0)
    assert convolution.double()(values.double()).dtype == torch.float64


def outputs_and_gradients(convolution: torch.nn.Conv1d, values: torch.Tensor) -> list[torch.Tensor]:
    """The output of a convolution, and the gradients of its input and weight for a gradient of ones."""
    torch.manual_seed(1)
    values = torch.randn_like(values).to(convolution.weight.dtype).requires_grad_()
    convolution.zero_grad()
    output = convolution(values)
    output.float().sum().backward()
    return [tensor.detach().clone() for tensor in (output, values.grad, convolution.weight.grad)]
