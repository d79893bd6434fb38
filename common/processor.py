"""bfloat16 on processors: which have instructions for it, and from what size a network gains from it."""

from __future__ import annotations

# PyTorch's names. Without one of them bfloat16 is converted to float32 and back, which is slower than float32.
_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")
# A smaller network takes less time for a clip than decoding the clip does, in any precision.
MIN_PARAMETERS_FOR_BFLOAT16 = 1_000_000


def bfloat16_instructions() -> tuple[str, ...]:
    """The instructions for bfloat16 that this processor has.

    Returns:
        Some of `amx_bf16` and `avx512_bf16` (x86), `bf16` and `sve_bf16` (Arm).
    """
    import torch  # whose import takes seconds

    found = torch.cpu.get_capabilities()
    return tuple(name for name in _INSTRUCTIONS if found.get(name, False))
