import copy
import pickle

import pytest
import torch

from modeling.cpu_convolutions_ser import adapt_convolutions_to_cpu


@pytest.mark.parametrize("channels", [2, 4, 8, 15, 16, 31])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("kernel", [8, 128, 3, 16])
@pytest.mark.parametrize("autocast", [False, True])
def test_narrow_convolutions_are_accurate_in_bfloat16(channels, groups, kernel, autocast):
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(channels * groups, 16 * groups, kernel, groups=groups, padding=kernel // 2)
    assert_accurate_in_bfloat16(convolution, autocast)


@pytest.mark.parametrize("channels", [1, 2, 8, 32, 40])
@pytest.mark.parametrize(("kernel", "stride"), [(10, 5), (8, 4), (3, 2), (2, 2)])
@pytest.mark.parametrize("autocast", [False, True])
def test_strided_convolutions_are_accurate_in_bfloat16(channels, kernel, stride, autocast):
    torch.manual_seed(0)
    assert_accurate_in_bfloat16(torch.nn.Conv1d(channels, 16, kernel, stride), autocast)


@pytest.mark.parametrize("frames", [10, 150, 151])
@pytest.mark.parametrize("channels", [1, 40])
@pytest.mark.parametrize(("kernel", "stride"), [(10, 5), (3, 2), (2, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_strided_convolutions_compute_the_same_with_channels_adjacent_in_memory(frames, channels, kernel, stride, bias):
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(channels, 16, kernel, stride, bias=bias).double()  # orders of sums differ
    adapted = copy.deepcopy(convolution)
    adapt_convolutions_to_cpu(adapted)
    values = torch.randn(2, channels, frames)
    for found, expected in zip(
        outputs_and_gradients(adapted, values), outputs_and_gradients(convolution, values), strict=True
    ):
        torch.testing.assert_close(found, expected)
    assert adapted.float()(values).transpose(1, 2).is_contiguous()
    in_bfloat16 = adapted.bfloat16()(values.bfloat16())
    assert in_bfloat16.transpose(1, 2).is_contiguous()


def test_a_copy_computes_with_its_own_weights():
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(40, 8, 3, 2)
    adapt_convolutions_to_cpu(convolution)
    values = torch.randn(2, 40, 20)
    expected = convolution(values)
    for other in (copy.deepcopy(convolution), pickle.loads(pickle.dumps(convolution))):  # noqa: S301
        torch.testing.assert_close(other(values), expected, rtol=0, atol=0)
        torch.nn.init.zeros_(other.weight)
        torch.testing.assert_close(other(values), other.bias[:, None].expand(2, 8, 9), rtol=0, atol=0)
        assert other._conv_forward.args == (other,)


def test_a_clip_without_a_batch():
    convolution = torch.nn.Conv1d(40, 8, 3, 2)
    adapt_convolutions_to_cpu(convolution)
    values = torch.randn(40, 20)
    torch.testing.assert_close(convolution(values), convolution(values[None])[0])


def test_a_compiled_graph_keeps_the_convolution():
    convolution = torch.nn.Conv1d(4, 8, 3, 2)
    adapt_convolutions_to_cpu(convolution)
    exported = torch.export.export(convolution, (torch.randn(1, 4, 20),))
    called = [node.target for node in exported.graph.nodes if node.op == "call_function"]
    assert called == [torch.ops.aten.conv1d.default]


def test_a_compiled_graph_of_a_narrow_convolution_is_accurate_in_bfloat16():
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(4, 8, 8, 4)
    values = torch.randn(1, 4, 160)
    expected = convolution(values)
    adapt_convolutions_to_cpu(convolution)
    exported = torch.export.export(convolution.bfloat16(), (values.bfloat16(),)).module()
    assert (exported(values.bfloat16()).float() - expected).norm() < 0.02 * expected.norm()


def test_other_convolutions_and_precisions_are_unchanged():
    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(4, 8, 3)
    values = torch.randn(1, 4, 20)
    default = convolution(values)
    adapt_convolutions_to_cpu(convolution)
    torch.testing.assert_close(convolution(values), default, rtol=0, atol=0)
    assert convolution.double()(values.double()).dtype == torch.float64


def assert_accurate_in_bfloat16(convolution: torch.nn.Conv1d, autocast: bool) -> None:
    """The output and the gradients of an adapted convolution are within 2 % of those in float32."""
    values = torch.randn(2, convolution.in_channels, 150)
    exact = outputs_and_gradients(convolution, values)
    adapt_convolutions_to_cpu(convolution)
    if not autocast:
        convolution.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        rounded = outputs_and_gradients(convolution, values)
    assert rounded[0].dtype == torch.bfloat16
    for found, expected in zip(rounded, exact, strict=True):
        assert (found.float() - expected).norm() < 0.02 * expected.norm()


def outputs_and_gradients(convolution: torch.nn.Conv1d, values: torch.Tensor) -> list[torch.Tensor]:
    """The output of a convolution, and the gradients of its input and weights for a random gradient."""
    values = values.detach().to(convolution.weight.dtype, copy=True).requires_grad_()
    convolution.zero_grad()
    output = convolution(values)
    gradient = torch.randn(output.shape, generator=torch.Generator().manual_seed(1))
    (output.float() * gradient).sum().backward()
    gradients = [parameter.grad for parameter in (values, *convolution.parameters())]
    return [tensor.detach().clone() for tensor in (output, *gradients)]
