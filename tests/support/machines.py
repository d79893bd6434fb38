"""Descriptions of machines on which benchmarks ran."""

from benchmarks.machine import Machine


def machine(**fields) -> Machine:
    """A machine with two cores and 8 GB, but for these fields."""
    default = {
        "processor": "Intel Xeon",
        "instructions": "AMX",
        "limit": None,
        "cores": 2,
        "memory_gb": 8,
        "system": "",
    }
    return Machine(**{**default, **fields})
