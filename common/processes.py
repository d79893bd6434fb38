"""The processes of a command that torchrun, `accelerate launch` or MPI started: how many, and whether on CPUs."""

from __future__ import annotations

import os

# As accelerate reads them: of torchrun, and of three kinds of MPI.
_SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def num_processes_started() -> int:
    """How many processes a launcher started for this command.

    Raises:
        ValueError: `accelerate launch` was asked for several on CPUs, and started one.
    """
    sizes = [int(os.environ[name]) for name in _SIZES if os.environ.get(name)]
    # The launcher exports an address for several processes, and for a CPU starts a single one without it.
    is_on_cpu = os.environ.get("ACCELERATE_USE_CPU", "false").lower() in ("true", "1", "yes")
    if not sizes and is_on_cpu and "MASTER_ADDR" in os.environ:
        raise ValueError(
            "`accelerate launch --cpu --num_processes N` starts one process, not N: use torchrun --nproc_per_node N."
        )
    return max(sizes, default=1)


def must_join_on_cpu() -> bool:
    """Whether there are several processes and no device on which accelerate joins them without being given a CPU."""
    import torch

    device = torch.accelerator.current_accelerator(check_available=True)
    return num_processes_started() > 1 and (device is None or device.type == "mps")
