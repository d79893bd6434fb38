"""The benchmarks that are quick at toy size run; the others run as `python -m benchmarks --quick --output FOLDER`."""

from dataclasses import replace

import pytest
import torch

from benchmarks import augmentation, gpu, gpu_race, report
from benchmarks.__main__ import CLAIMS, GPU
from benchmarks.clips import durations
from benchmarks.rates import format_rates
from preprocessing.augmentation.transforms import TRANSFORMS
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def test_every_script_is_among_those_that_make_bench_runs():
    shared = {"__main__", "measure", "results", "rates", "gpu_race", "machine", "clips", "models", "corpus"}
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


@pytest.mark.parametrize("network", gpu.NETWORKS, ids=lambda network: network.name)
def test_each_way_of_a_network_is_measured_on_a_gpu(network):
    rates = [rate for stage in gpu.measure([network.name], torch.device("cpu"), quick=True) for rate in stage]
    assert {rate.network for rate in rates} == {network.name}
    ways = [*gpu_race.BATCHES.values()]
    if network.name in gpu.COMPILED:
        ways.append(gpu_race.COMPUTATIONS["compiled"])
    if network.architecture != "wavlm":  # whose attention is not SDPA
        ways.append(gpu_race.COMPUTATIONS["eager"])
    assert [(rate.stage, rate.way) for rate in rates] == [(s, w) for s in ("training", "inference") for w in ways]
    assert all(rate.clips_per_second > 0 and rate.share_of_product > 0 for rate in rates)
    assert [rate.over for rate in rates if rate.way == gpu_race.BATCHES["ours"]] == [1.0, 1.0]
    assert format_rates(rates, "the CPU").count("| training |") == len(ways)


def test_the_operations_of_training_are_those_of_inference_and_twice_those_of_the_layers():
    toy = gpu.toy(gpu.NETWORKS[0])
    (batch,) = gpu_race.batches(durations(2), "ours", gpu_race.STAGES[0])
    models = [replace(toy, fields={**toy.fields, "num_hidden_layers": layers}).build() for layers in (1, 2)]
    training, inference = ([gpu_race.operations(model, stage, batch) for model in models] for stage in gpu_race.STAGES)
    assert training[1] - training[0] == 3 * (inference[1] - inference[0])
    assert training[0] - inference[0] == 2 * (inference[1] - inference[0])


@pytest.mark.stress
def test_files_are_measured_in_the_stock_pipeline_too():
    ours, *others = gpu.over_files(quick=True)
    assert ours.over == 1.0
    assert len(others) == len(gpu.STOCK_BATCHES)
    assert all(rate.clips_per_second > 0 and rate.memory_gb is None for rate in (ours, *others))


@pytest.mark.parametrize("stage", gpu_race.STAGES, ids=lambda stage: stage.name)
def test_our_batches_on_a_gpu_are_of_one_length_and_those_of_peers_are_not(stage):
    seconds = durations(stage.clips)
    widths = {
        way: sum(seconds[chosen].max() * len(chosen) for chosen in gpu_race.chosen_clips(seconds, way, stage))
        for way in ("ours", "random")
    }
    assert seconds.sum() / widths["ours"] > 0.9
    assert seconds.sum() / widths["random"] < 0.7
