"""What holds of any input, on inputs that hypothesis makes up: the same every time, in `make stress` others."""

import copy
import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evaluation.metrics.compute import compute_metrics
from modeling import SAMPLING_RATE, Wav2Vec2ForMultiTaskSER
from modeling.modeling_heads_ser import multi_task_loss
from preprocessing.prepared.protocols import PROTOCOLS, SPLITS, Row, make_split
from tests.conftest import TASKS, tiny_config, voice

pytestmark = pytest.mark.slow

STRATIFIED = [name for name, protocol in PROTOCOLS.items() if protocol.name != "speaker"]
torch.manual_seed(0)
MODEL = Wav2Vec2ForMultiTaskSER(tiny_config()).eval()
DOUBLE_MODEL = copy.deepcopy(MODEL).double()
LABELS = {
    "emotion": st.sampled_from([*TASKS[0].labels, None]),
    "gender": st.sampled_from([*TASKS[1].labels, None]),
    "f0_mean": st.none() | st.floats(50, 500, width=32),
}

clips = st.lists(
    st.tuples(
        st.sampled_from(["alpha", "beta"]),
        st.none() | st.sampled_from(["s1", "s2", "s3", "s4"]),
        st.none() | st.sampled_from(["female", "male"]),
        st.none() | st.sampled_from(["angry", "happy", "sad"]),
        st.sampled_from([None, *SPLITS]),
    ),
    max_size=120,
)


@given(clips, st.sampled_from(sorted(PROTOCOLS)), st.integers(0, 2**16))
def test_any_clips_are_divided_without_loss(described, protocol, seed):
    rows = [Row(f"{corpus}/{i}", corpus, *rest) for i, (corpus, *rest) in enumerate(described)]
    splits, _ = make_split(rows, protocol, seed)
    assert splits.keys() == {row.id for row in rows}
    assert {*splits.values()} <= {*SPLITS}
    assert make_split(rows[::-1], protocol, seed)[0] == splits  # whatever the order in which they come


@given(clips, st.sampled_from(sorted(STRATIFIED)), st.integers(0, 2**16))
def test_each_stratum_is_within_a_clip_of_its_share(described, protocol, seed):
    rows = [Row(f"{corpus}/{i}", corpus, *rest)._replace(split=None) for i, (corpus, *rest) in enumerate(described)]
    splits, _ = make_split(rows, protocol, seed)
    strata = Counter((row.corpus, row.gender, row.emotion) for row in rows)
    counted = Counter((row.corpus, row.gender, row.emotion, splits[row.id]) for row in rows)
    for stratum, size in strata.items():
        for split, share in zip(SPLITS, PROTOCOLS[protocol].shares, strict=True):
            assert abs(counted[*stratum, split] - Fraction(share).limit_denominator(100) * size) < 1


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=6), st.integers(0, 9))
@pytest.mark.parametrize("model", [MODEL, DOUBLE_MODEL], ids=["float32", "float64"])
def test_any_batch_is_its_clips(model, lengths, seed):
    """The logits in float64, where no rounding is amplified, and in float32 the outputs, in probabilities and units."""
    waveforms = [torch.from_numpy(voice(n / SAMPLING_RATE, 100 + 30 * i, seed)[:n]) for i, n in enumerate(lengths)]
    values = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True).to(model.dtype)
    mask = torch.stack([torch.arange(values.shape[1]) < n for n in lengths]).long()
    with torch.no_grad():
        together = model(values, mask).task_logits
        for place, waveform in enumerate(waveforms):
            alone = model(waveform[None].to(model.dtype)).task_logits
            for task in TASKS:
                found, expected = together[task.name][place], alone[task.name][0]
                if model is DOUBLE_MODEL:
                    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
                else:
                    torch.testing.assert_close(
                        task.decode(found[None]), task.decode(expected[None]), rtol=1e-5, atol=1e-5
                    )


@given(
    st.lists(st.tuples(*LABELS.values()), min_size=1, max_size=5),
    st.sets(st.sampled_from([task.name for task in TASKS]), min_size=1),
)
def test_any_tasks_with_any_labels_missing_give_a_finite_loss_and_gradient(rows, names):
    tasks = [task for task in TASKS if task.name in names]
    columns = dict(zip(LABELS, zip(*rows, strict=True), strict=True))
    dtypes = {task.name: torch.int64 if task.is_classification else torch.float32 for task in tasks}
    labels = {
        task.name: torch.tensor([task.encode(value) for value in columns[task.name]], dtype=dtypes[task.name])
        for task in tasks
    }
    waveforms = torch.from_numpy(np.stack([voice(0.3, 100 + 20 * i, i) for i in range(len(rows))]))
    MODEL.zero_grad()
    loss, losses = multi_task_loss(MODEL(waveforms).task_logits, labels, tasks)
    assert loss.isfinite()
    assert {*losses} == names
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in MODEL.parameters())
    has_targets = any(value is not None for task in tasks for value in columns[task.name])
    assert (loss > 0) == has_targets
    assert any(p.grad is not None and p.grad.any() for p in MODEL.parameters()) == has_targets


@given(
    st.lists(
        st.tuples(*LABELS.values(), st.sampled_from(["alpha", "beta"]), st.none() | st.just("s")),
        min_size=1,
        max_size=12,
    ),
    st.data(),
    st.booleans(),
)
def test_any_report_is_valid_json(rows, data, intervals):
    columns = dict(zip((*LABELS, "corpus", "speaker"), zip(*rows, strict=True), strict=True))
    same = {"locale": "de-DE", "duration_s": 2.0, "style": None}
    described = Dataset.from_dict({**columns, **{name: [value] * len(rows) for name, value in same.items()}})
    some = st.floats(-1e6, 1e6, width=32)
    logits = {
        task.name: data.draw(arrays.arrays(np.float32, (len(rows), task.num_outputs), elements=some)) for task in TASKS
    }
    metrics = compute_metrics(described, logits, TASKS, intervals=intervals)
    assert json.loads(json.dumps(metrics, allow_nan=False)) is not None
    for task in TASKS:
        known = [value for value in columns[task.name] if value is not None]
        assert metrics[task.name]["clips"] == len(known)
