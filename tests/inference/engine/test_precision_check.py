import copy
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from huggingface_hub import cached_assets_path

from common.checkpoint import load_checkpoint
from common.checkpoint_name import DEFAULT_CHECKPOINT
from inference.engine import precision_check
from inference.engine.precision import MAX_DIFFERENCE, Choice, Comparison
from inference.engine.precision_check import check_precision, compare_precisions, kept_comparison

FAST = Comparison(2.5, 0.01)


def unexpected():
    raise AssertionError("nothing is to be measured")


@pytest.fixture(scope="module")
def released():
    return load_checkpoint(DEFAULT_CHECKPOINT)[0]


@pytest.mark.slow
def test_the_released_models_outputs_agree_on_any_processor(released):
    found = compare_precisions(released)
    assert 0 < found.difference < MAX_DIFFERENCE
    assert found.speedup > 0
    assert {parameter.dtype for parameter in released.parameters()} == {torch.float32}


def test_the_copy_has_no_weights_of_its_own_until_it_is_cast(tiny_model):
    expected = copy.deepcopy(tiny_model).to(torch.bfloat16).state_dict()
    before = {name: weight.clone() for name, weight in tiny_model.state_dict().items()}
    copied = precision_check._copy_that_shares_weights(tiny_model)
    own = {weight.data_ptr() for weight in tiny_model.state_dict().values()}
    assert {weight.data_ptr() for weight in copied.state_dict().values()} == own
    torch.testing.assert_close(dict(copied.to(torch.bfloat16).state_dict()), dict(expected), rtol=0, atol=0)
    torch.testing.assert_close(dict(tiny_model.state_dict()), before, rtol=0, atol=0)


def test_one_thread_measures_and_the_others_are_given_back(tiny_model, monkeypatch):
    used, compare = [], precision_check._compare
    monkeypatch.setattr(
        precision_check, "_compare", lambda *given: used.append(torch.get_num_threads()) or compare(*given)
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        compare_precisions(tiny_model)
        assert (used, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_the_fastest_repetition_of_each_counts_however_the_others_were_disturbed(tiny_model, monkeypatch):
    timed, calls = precision_check._timed, []

    def disturbed(network, inputs):
        calls.append(network)
        turn = len(calls) - 1
        return timed(network, inputs)[0], (0.2 if turn % 2 == 0 else 0.1) * (1 if turn in (4, 7) else 7 - turn % 3)

    monkeypatch.setattr(precision_check, "_timed", disturbed)
    assert compare_precisions(tiny_model).speedup == pytest.approx(2)


@pytest.mark.slow
def test_outputs_that_are_not_finite_have_no_difference(tiny_model):
    with torch.no_grad():
        tiny_model.heads["emotion"].bias[0] = float("nan")
    assert compare_precisions(tiny_model).difference is None


def test_what_was_measured_is_kept(tmp_path):
    file = tmp_path / "kept.json"
    assert kept_comparison(file, lambda: FAST) == FAST
    assert kept_comparison(file, unexpected) == FAST


def test_a_difference_that_is_not_finite_is_kept_too(tmp_path):
    file = tmp_path / "kept.json"
    assert kept_comparison(file, lambda: Comparison(2.0, None)) == Comparison(2.0, None)
    assert kept_comparison(file, unexpected) == Comparison(2.0, None)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"{", b"3", b"[]", b"null", b"{}", b'{"speedup": "x", "difference": 0}']
)
def test_a_damaged_file_is_measured_and_written_again(tmp_path, content):
    file = tmp_path / "kept.json"
    file.write_bytes(content)
    assert kept_comparison(file, lambda: FAST) == FAST
    assert json.loads(file.read_text()) == {"speedup": 2.5, "difference": 0.01}


def test_where_nothing_can_be_written_it_is_measured_and_the_file_is_named(tmp_path, capsys):
    file = tmp_path / "missing" / "kept.json"
    (tmp_path / "missing").write_text("a file, not a folder")
    assert kept_comparison(file, lambda: FAST) == FAST
    assert str(file) in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_measured_once(tmp_path, capsys):
    file = tmp_path / "kept.json"
    file.mkdir()  # which no file replaces
    calls = []
    assert kept_comparison(file, lambda: calls.append(1) or FAST) == FAST
    assert calls == [1]
    assert str(file) in capsys.readouterr().err


def test_processes_that_start_together_measure_once(tmp_path):
    """Threads stand for them: each takes the lock through a file of its own."""
    file, calls, together = tmp_path / "kept.json", [], threading.Barrier(8)

    def measure():
        calls.append(1)
        time.sleep(0.05)
        return FAST

    def start(_):
        together.wait()
        return kept_comparison(file, measure)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(start, range(8))) == [FAST] * 8
    assert calls == [1]
    assert json.loads(file.read_text()) == {"speedup": 2.5, "difference": 0.01}


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """One with AMX, whose first start is measured as fast, and a folder of assets of its own."""
    monkeypatch.setattr(precision_check, "bfloat16_instructions", lambda: ("amx_bf16",))
    monkeypatch.setattr(
        precision_check, "cached_assets_path", partial(cached_assets_path, assets_dir=tmp_path / "assets")
    )
    monkeypatch.setattr(precision_check, "weights_sha256", lambda checkpoint: checkpoint or None)
    measured = []
    monkeypatch.setattr(precision_check, "compare_precisions", lambda model: measured.append(model) or FAST)
    return measured


def test_the_second_start_measures_nothing(processor, released):
    assert check_precision(released, "abc").precision == "bfloat16"
    assert check_precision(released, "abc").precision == "bfloat16"
    assert len(processor) == 1


def test_other_weights_and_other_instructions_are_measured_anew(processor, released, monkeypatch):
    check_precision(released, "abc")
    check_precision(released, "def")
    assert len(processor) == 2
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
    check_precision(released, "abc")
    assert len(processor) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_FORMAT", 99),
        ("processor_name", lambda: "another processor"),
        ("transformers.__version__", "99.0"),
        ("torch.__version__", "99.0"),
    ],
)
def test_another_format_processor_or_library_is_measured_anew(processor, released, monkeypatch, name, value):
    check_precision(released, "abc")
    monkeypatch.setattr(f"inference.engine.precision_check.{name}", value)
    check_precision(released, "abc")
    assert len(processor) == 2


def test_without_measuring_a_kept_choice_counts_and_otherwise_float32(processor, released):
    assert check_precision(released, "abc", measure=False) == Choice("float32")
    assert processor == []
    check_precision(released, "abc")
    assert check_precision(released, "abc", measure=False).precision == "bfloat16"
    assert len(processor) == 1


def test_too_little_memory_gives_float32_and_nothing_is_kept(processor, released, monkeypatch):
    def full(model):
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr(precision_check, "compare_precisions", full)
        choice = check_precision(released, "abc")
    assert choice.precision == "float32"
    assert choice.reason
    assert check_precision(released, "abc").precision == "bfloat16"


def test_unknown_weights_are_measured_at_every_start(processor, released):
    check_precision(released, "")
    check_precision(released, "")
    assert len(processor) == 2


def test_a_folder_that_cannot_be_created_is_named_and_the_precision_chosen(processor, released, tmp_path, capsys):
    (tmp_path / "assets").write_text("a file")
    assert check_precision(released, "abc").precision == "bfloat16"
    assert str(tmp_path / "assets") in capsys.readouterr().err


def test_a_processor_without_bfloat16_measures_nothing(processor, released, monkeypatch):
    monkeypatch.setattr(precision_check, "bfloat16_instructions", lambda: ())
    monkeypatch.setattr(precision_check, "weights_sha256", unexpected)
    assert check_precision(released, "abc").precision == "float32"
    assert processor == []


def test_a_limited_processor_computes_in_float32(processor, released, monkeypatch):
    """oneDNN without AMX converts to float32 and back, which is slower (`ONEDNN_MAX_CPU_ISA=AVX2`)."""
    monkeypatch.setattr(precision_check, "compare_precisions", lambda model: Comparison(0.12, 0.01))
    assert check_precision(released, "abc").precision == "float32"


def test_the_difference_is_that_of_probabilities_and_of_standard_deviations(tiny_model):
    tasks = tiny_model.config.get_tasks()
    exact = {task.name: np.zeros((1, task.num_outputs), np.float32) for task in tasks}
    rounded = {name: values.copy() for name, values in exact.items()}
    rounded["f0_mean"][0, 0] = 0.25  # logits of a regression are in standard deviations
    assert precision_check._difference(tasks, exact, rounded) == pytest.approx(0.25)
    rounded["emotion"][0, 0] = 100.0
    assert precision_check._difference(tasks, exact, rounded) == pytest.approx(2 / 3)
