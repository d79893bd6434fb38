import pytest

from common.processor import bfloat16_instructions


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"architecture": "x86_64", "avx2": True, "amx_bf16": False, "avx512_bf16": False}, ()),
        ({"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": False, "amx_tile": True}, ("avx512_bf16",)),
        ({"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": True}, ("amx_bf16", "avx512_bf16")),
        ({"architecture": "aarch64", "neon": True, "bf16": True}, ("bf16",)),
        ({}, ()),
    ],
)
def test_the_instructions_are_those_that_pytorch_finds(monkeypatch, capabilities, expected):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities)
    assert bfloat16_instructions() == expected
