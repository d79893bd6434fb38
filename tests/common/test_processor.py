import pytest

from common.processor import (
    MIN_PARAMETERS_FOR_BFLOAT16,
    bfloat16_instructions,
    may_gain_from_bfloat16,
    processor_name,
)


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


def test_bfloat16_needs_instructions_and_a_network_that_is_not_small():
    size = MIN_PARAMETERS_FOR_BFLOAT16
    assert may_gain_from_bfloat16(True, size)
    assert not may_gain_from_bfloat16(False, size)
    assert not may_gain_from_bfloat16(True, size - 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("processor\t: 0\nmodel name\t: A B\n\nprocessor\t: 1\nmodel name\t: A B\n", "A B"),
        (
            "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n",
            "0x41, 0xd40, 0xd4f",
        ),
        ("flags\t: fpu\n", "other"),
        (None, "other"),
    ],
)
def test_the_name_of_the_processor(monkeypatch, tmp_path, content, expected):
    monkeypatch.setattr("platform.processor", lambda: "other")
    monkeypatch.setattr("common.processor._CPU_INFO", tmp_path / "cpuinfo")
    if content is not None:
        (tmp_path / "cpuinfo").write_text(content)
    assert processor_name() == expected
