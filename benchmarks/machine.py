"""The machine that measures: its processor, the instructions that are used, cores and memory."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

import torch

from common.processor import processor_name

# Of x86, the best last: the name to PyTorch's, and to oneDNN's where `ONEDNN_MAX_CPU_ISA` ends there.
_INSTRUCTIONS = {
    "AVX2": ("avx2", "AVX2"),
    "AVX2 with VNNI": ("avx_vnni", "AVX2_VNNI"),
    "AVX-512": ("avx512_f", "AVX512_CORE"),
    "AVX-512 with VNNI": ("avx512_vnni", "AVX512_CORE_VNNI"),
    "AMX": ("amx_tile", "AVX512_CORE_AMX"),
}
LIMIT = "ONEDNN_MAX_CPU_ISA"


@dataclass(frozen=True)
class Machine:
    """What figures depend on, beside the code.

    Args:
        processor: its name.
        instructions: the best set of instructions for matrix products that it has.
        limit: the best one that oneDNN may use, where `ONEDNN_MAX_CPU_ISA` sets one.
        cores, memory_gb: that this process may use, and that there is.
        system: the operating system and Python.
    """

    processor: str
    instructions: str
    limit: str | None
    cores: int
    memory_gb: int
    system: str

    @property
    def kind(self) -> str:
        """The heading of its column."""
        limited = f", oneDNN limited to {self.limit}" if self.limit else ""
        return f"{self.processor}, {self.instructions}, {self.cores} cores{limited}"

    @property
    def slug(self) -> str:
        """The name of its file of results, without a suffix."""
        return re.sub(r"[^a-z0-9]+", "-", self.kind.lower()).strip("-")

    @property
    def best(self) -> str:
        """The best set of instructions that oneDNN uses."""
        return self.limit or self.instructions

    @property
    def has_amx(self) -> bool:
        return self.best == "AMX"

    @property
    def has_vnni(self) -> bool:
        """Whether ONNX Runtime, which no variable limits, multiplies 8 bits by VNNI."""
        return self.instructions == "AMX" or self.instructions.endswith("VNNI")


def this_machine() -> Machine:
    """The machine that runs this process."""
    return Machine(
        re.sub(r"\((R|TM)\)| Processor$", "", processor_name() or platform.machine()),
        _best_instructions(),
        _limit(),
        len(os.sched_getaffinity(0)),
        round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        f"{platform.system()}, Python {platform.python_version()}",
    )


def _best_instructions() -> str:
    has = torch.cpu.get_capabilities()
    found = [name for name, (flag, _) in _INSTRUCTIONS.items() if has.get(flag, False)]
    return found[-1] if found else platform.machine()


def _limit() -> str | None:
    given = os.environ.get(LIMIT, "").upper()
    names = {onednn: name for name, (_, onednn) in _INSTRUCTIONS.items()}
    return names.get(given, given) or None
