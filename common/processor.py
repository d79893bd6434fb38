"""The processor: its name, its instructions for bfloat16, and which networks gain from them."""

from __future__ import annotations

import platform
from pathlib import Path

# PyTorch's names. Without one of them bfloat16 is converted to float32 and back, which is slower than float32.
_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")
# A smaller network takes less time for a clip than decoding the clip does, in any precision.
MIN_PARAMETERS_FOR_BFLOAT16 = 1_000_000
_CPU_INFO = Path("/proc/cpuinfo")  # of Linux
_NAMES = ("model name", "CPU implementer", "CPU part")  # x86; Arm


def may_gain_from_bfloat16(has_instructions: bool, num_parameters: int) -> bool:
    """Whether bfloat16 may be faster than float32: the only rule for it, of predictions and of trainings.

    Args:
        has_instructions: whether the device has instructions for bfloat16.
        num_parameters: of the network.
    """
    return has_instructions and num_parameters >= MIN_PARAMETERS_FOR_BFLOAT16


def processor_name() -> str:
    """The name of this processor, such as `Intel(R) Xeon(R) Processor`; on Arm Linux, its numbers."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    fields = (line.partition(":") for line in lines)
    values = dict.fromkeys(value.strip() for name, _, value in fields if name.strip() in _NAMES)
    return ", ".join(values) or platform.processor()


def bfloat16_instructions() -> tuple[str, ...]:
    """The instructions for bfloat16 that this processor has.

    Returns:
        Some of `amx_bf16` and `avx512_bf16` (x86), `bf16` and `sve_bf16` (Arm).
    """
    import torch  # whose import takes seconds

    found = torch.cpu.get_capabilities()
    return tuple(name for name in _INSTRUCTIONS if found.get(name, False))
