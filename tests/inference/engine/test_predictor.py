import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from transformers import pipeline

from common.checkpoint import load_checkpoint
from common.checkpoint_name import DEFAULT_CHECKPOINT
from inference.engine.precision import Choice
from inference.engine.predictor import Predictor, load_predictor
from inference.engine.shared_predictor import SharedPredictor
from inference.engine.synthetic_speech import synthetic_vowels
from modeling import SpeechEmotionPipeline, load_audio
from tests.conftest import TASKS, voice

CLIPS = [voice(seconds, 90 + 30 * i, i) for i, seconds in enumerate((2.5, 0.02, 9.0, 0.4, 6.0))]


@pytest.fixture(scope="module")
def expected(checkpoint) -> list[dict]:
    """What the pipeline outputs for each clip alone."""
    model, feature_extractor = load_checkpoint(checkpoint)
    recognize = SpeechEmotionPipeline(model, feature_extractor=feature_extractor, vad=False)
    return [recognize(clip) for clip in CLIPS]


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_outputs_are_those_of_the_pipeline_in_any_batch(checkpoint, expected, threads, batch_size):
    decoded = load_predictor(str(checkpoint), batch_size=batch_size)(CLIPS)
    for row, outputs in enumerate(expected):
        for task in TASKS[:2]:
            scores = {entry["label"]: entry["score"] for entry in outputs[task.name]}
            assert decoded[task.name][row] == pytest.approx([scores[label] for label in task.labels], abs=1e-5)
        assert decoded["f0_mean"][row] == pytest.approx(outputs["f0_mean"]["value"], abs=5e-3)


def test_windows_of_a_recording_have_the_outputs_of_the_stock_pipeline(checkpoint):
    recording = voice(10, 150)
    windows = [recording[start : start + 48_000] for start in range(0, recording.size - 48_000 + 1, 16_000)]
    assert len(windows) == 8
    stock = pipeline("audio-classification", model=str(checkpoint), top_k=None)
    outputs = [{entry["label"]: entry["score"] for entry in stock(window)} for window in windows]
    expected = [[scores[label] for label in TASKS[0].labels] for scores in outputs]
    np.testing.assert_allclose(load_predictor(str(checkpoint))(windows)["emotion"], expected, atol=1e-5, rtol=0)


def test_bfloat16_is_close_to_float32(checkpoint):
    exact = load_predictor(str(checkpoint))(CLIPS)
    rounded = load_predictor(str(checkpoint), precision="bfloat16")(CLIPS)
    for task in TASKS[:2]:
        difference = np.abs(rounded[task.name] - exact[task.name])
        assert 0 < difference.max() < 0.05
    assert rounded["f0_mean"] == pytest.approx(exact["f0_mean"], abs=0.1 * TASKS[2].std)


@pytest.mark.slow
def test_the_released_model_gives_the_same_clip_the_same_outputs_in_bfloat16():
    """Alone and in a batch to 0.02 in bfloat16, where float32 gives 1e-5; and those of float32 to 0.05."""
    clips = [
        synthetic_vowels(np.random.default_rng(seed), samples) for seed, samples in enumerate((48_000, 12_000, 8_000))
    ]
    exact = load_predictor(DEFAULT_CHECKPOINT)(clips)
    together = load_predictor(DEFAULT_CHECKPOINT, precision="bfloat16")
    assert together.precision == "bfloat16"
    alone = load_predictor(DEFAULT_CHECKPOINT, precision="bfloat16", batch_size=1)(clips)
    for task in together.tasks:
        scale = 1 if task.is_classification else task.std
        found = together(clips)[task.name]
        assert np.abs(found - alone[task.name]).max() < 0.02 * scale
        assert 0 < np.abs(found - exact[task.name]).max() < 0.05 * scale


@pytest.mark.parametrize(("precision", "expected"), [("auto", "float32"), ("bfloat16", "bfloat16")])
def test_it_has_the_precision_in_which_it_computes(checkpoint, capsys, precision, expected):
    predictor = load_predictor(str(checkpoint), precision=precision)  # a small network, for which auto is float32
    assert predictor.precision == expected
    shared = SharedPredictor(predictor)
    assert shared.precision == expected
    shared.close()
    assert capsys.readouterr().err == ""  # there was nothing to choose


@pytest.fixture
def choose(monkeypatch):
    """Sets what the check of this process chooses, on a device with bfloat16 or without it."""

    def choose(precision, has_bfloat16=True):
        check = "inference.engine.precision_check"
        monkeypatch.setattr(f"{check}.check_precision", lambda *_: Choice(precision, "measured"))
        monkeypatch.setattr(f"{check}.has_bfloat16", lambda: has_bfloat16)

    return choose


@pytest.mark.parametrize("measure", [True, False])
@pytest.mark.parametrize("choice", ["float32", "bfloat16"])
def test_auto_computes_in_what_the_check_chose_and_prints_what_it_measured(checkpoint, choose, capsys, choice, measure):
    choose(choice)
    found = load_predictor(str(checkpoint), precision="auto", measure=measure)
    lines = capsys.readouterr().err.splitlines()
    assert [(choice in line, "measured" in line) for line in lines] == [(True, True)] * measure
    expected = load_predictor(str(checkpoint), precision=choice)
    assert found.precision == choice
    np.testing.assert_array_equal(found(CLIPS)["emotion"], expected(CLIPS)["emotion"])


@pytest.mark.parametrize(("own", "first"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_a_process_computes_in_what_the_first_one_chose(checkpoint, choose, capsys, own, first):
    choose(own)
    found = load_predictor(str(checkpoint), precision="auto", in_first=lambda _: first)
    assert found.precision == first
    assert capsys.readouterr().err == ""


def test_a_process_without_the_instructions_that_the_first_one_has_is_refused(checkpoint, choose):
    choose("float32", has_bfloat16=False)
    with pytest.raises(ValueError, match="--precision float32"):
        load_predictor(str(checkpoint), precision="auto", in_first=lambda _: "bfloat16")
    assert load_predictor(str(checkpoint), precision="auto", in_first=lambda _: "float32").precision == "float32"


@pytest.mark.parametrize("enabled", [True, False])
def test_loading_pauses_the_collection_of_garbage(checkpoint, monkeypatch, enabled):
    found = []

    def load(*_):
        found.append(gc.isenabled())
        raise ValueError("stop")

    monkeypatch.setattr("common.checkpoint.load_checkpoint", load)
    try:
        gc.enable() if enabled else gc.disable()
        with pytest.raises(ValueError, match="stop"):
            load_predictor(str(checkpoint))
        assert (found, gc.isenabled()) == ([False], enabled)
    finally:
        gc.enable()


@pytest.mark.parametrize("batch_size", [0, -3])
def test_a_batch_of_no_clips_is_refused_before_anything_is_loaded(batch_size):
    with pytest.raises(ValueError, match=rf"batch size.* got {batch_size}\."):
        load_predictor("nowhere", batch_size=batch_size)


@pytest.mark.parametrize("threads", [2], indirect=True)
@pytest.mark.parametrize(("clips", "calls"), [(0, []), (1, [(1, 2)]), (2, [(1, 1)] * 2), (5, [(2, 1)] * 2 + [(1, 1)])])
def test_batches_side_by_side_share_the_threads_and_one_alone_has_them_all(tiny_model, threads, clips, calls):
    seen = []

    def forward(values, mask):
        seen.append((len(values), torch.get_num_threads()))
        return {task.name: np.repeat(values[:, :1], task.num_outputs, axis=1) for task in TASKS}

    recognize = Predictor(tiny_model.config, forward, batch_size=4, workers=2)
    values = np.arange(clips, dtype=np.float32)
    decoded = recognize([np.full(800, value) for value in values])["f0_mean"]
    assert decoded == pytest.approx(values * TASKS[2].std + TASKS[2].mean)
    assert sorted(seen, reverse=True) == calls
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == torch.get_num_threads() == 2


@pytest.mark.parametrize("threads", [2, 3, 5, 7, 8], indirect=True)
def test_all_threads_compute_at_once_whether_or_not_they_divide_the_batch(checkpoint, monkeypatch, threads):
    together = threading.Barrier(threads)

    def forward(values, mask):
        together.wait(10)  # an error where fewer than all process a batch
        return {task.name: np.zeros((len(values), task.num_outputs)) for task in TASKS}

    monkeypatch.setattr("inference.engine.torch_backend.torch_network", lambda *_: forward)
    predictor = load_predictor(str(checkpoint), batch_size=8)
    clips = [np.ones(round(800 * 1.5**power), np.float32) for power in range(threads)]  # each is a batch of its own
    assert len(predictor(clips)["emotion"]) == threads


def test_outputs_of_real_recordings_do_not_depend_on_the_batch(checkpoint, threads, real_audio):
    files = [*sorted(real_audio.glob("ravdess/*/*.wav"))[::120], *sorted(real_audio.glob("nemo/samples/*"))[::120]]
    clips = [load_audio(path) for path in files]
    assert len({clip.size for clip in clips}) > 8
    together = load_predictor(str(checkpoint))(clips)
    alone = load_predictor(str(checkpoint), batch_size=1)
    for row, clip in enumerate(clips):
        for task in TASKS[:2]:
            assert together[task.name][row] == pytest.approx(alone([clip])[task.name][0], abs=1e-5)


def test_bfloat16_predicts_the_same_for_real_recordings(checkpoint, real_audio):
    clips = [load_audio(path, end_s=6.0) for path in sorted(real_audio.glob("*/**/*.wav"))[::60]]
    assert len(clips) > 10
    exact = load_predictor(str(checkpoint))(clips)
    rounded = load_predictor(str(checkpoint), precision="bfloat16")(clips)
    for task in TASKS[:2]:
        assert np.abs(rounded[task.name] - exact[task.name]).max() < 0.05
        changed = rounded[task.name].argmax(axis=1) != exact[task.name].argmax(axis=1)
        first, second = np.sort(exact[task.name][changed], axis=1)[:, :-3:-1].T
        assert (first - second < 0.05).all()  # it was a tie
    assert np.isfinite(rounded["f0_mean"]).all()


def test_no_clips_have_no_outputs(checkpoint):
    decoded = load_predictor(str(checkpoint))([])
    assert {name: len(values) for name, values in decoded.items()} == {task.name: 0 for task in TASKS}
