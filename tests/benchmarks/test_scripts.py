"""The benchmarks that are quick at toy size run; the others run as `python -m benchmarks --quick --output FOLDER`."""

import pytest
import torch

from benchmarks import augmentation, gpu, report
from benchmarks.__main__ import CLAIMS, GPU
from preprocessing.augmentation.transforms import TRANSFORMS
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def test_every_script_is_among_those_that_make_bench_runs():
    shared = {"__main__", "measure", "results", "machine", "clips", "models", "corpus"}
    shared.add("service")  # the figures of docs/jobs/service.md, against a service that runs for minutes
    shared.add("encoders")  # the table of docs/encoders.md
    shared.add("dub_check")  # it measures findings, on recordings of others
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - shared == {*CLAIMS, GPU}


def test_each_transform_and_their_mix_are_measured():
    (line,) = augmentation.measure(quick=True)
    assert line.value > 0
    assert [name for name in TRANSFORMS if f"{name} " not in line.note] == []


@pytest.mark.stress
def test_a_report_of_many_rows_and_corpora_is_measured():
    seconds, memory = report.measure(quick=True)
    assert seconds.value > 0
    assert 100 < memory.value < memory.target
    assert "25 corpora, 10 rows of 3 seeds" in seconds.claim


def test_what_runs_on_a_gpu_runs_at_toy_size():
    rates = gpu.measure(torch.device("cpu"), quick=True)
    assert [(rate.stage, rate.way) for rate in rates] == [(s, w) for s in ("training", "inference") for w in gpu.WAYS]
    assert all(rate.clips_per_second > 0 and rate.share_of_product > 0 for rate in rates)
    assert [rate.over for rate in rates if rate.way == "ours"] == [1.0, 1.0]
    assert gpu.format_rates(rates, "the CPU").count("\n| training") == 3
