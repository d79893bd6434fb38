import pytest

from benchmarks.machine import LIMIT, this_machine
from tests.support.machines import machine


def test_kinds_of_processor_have_files_of_their_own():
    kinds = [machine(), machine(limit="AVX2"), machine(cores=4), machine(instructions="AVX2")]
    assert machine().slug == "intel-xeon-amx-2-cores"
    assert len({kind.slug for kind in kinds}) == len(kinds)
    assert machine(memory_gb=16, system="Darwin").slug == machine().slug


@pytest.mark.parametrize(
    ("instructions", "limit", "amx", "vnni"),
    [
        ("AMX", None, True, True),
        ("AMX", "AVX2", False, True),  # which limits oneDNN alone
        ("AVX-512 with VNNI", None, False, True),
        ("AVX2 with VNNI", None, False, True),
        ("AVX-512", None, False, False),
        ("AVX2", None, False, False),
    ],
)
def test_instructions_decide_what_is_promised(instructions, limit, amx, vnni):
    kind = machine(instructions=instructions, limit=limit)
    assert (kind.has_amx, kind.has_vnni) == (amx, vnni)


def test_a_limit_of_onednn_makes_another_kind(monkeypatch):
    monkeypatch.delenv(LIMIT, raising=False)
    whole = this_machine()
    assert whole.limit is None
    assert whole.cores >= 1
    assert whole.memory_gb >= 1
    monkeypatch.setenv(LIMIT, "avx512_core_vnni")
    assert this_machine().limit == this_machine().best == "AVX-512 with VNNI"
    assert this_machine().slug != whole.slug
    assert not this_machine().has_amx
