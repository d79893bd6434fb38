import numpy as np
import pytest

from inference.onnx.parity import compare, synthetic_clips
from modeling import SAMPLING_RATE
from tests.conftest import TASKS

CLIPS = [np.full(samples, value, np.float32) for samples, value in ((100, 0.1), (300, -0.2), (200, 0.3))] * 30


def network(offset=0.0, flipped=False, log=None):
    """Outputs each clip's first sample, so that outputs can be attributed to clips."""

    def forward(input_values, attention_mask):
        if log is not None:
            log.append(attention_mask.sum(1).tolist())
        first = input_values[:, :1]
        emotion = np.concatenate([first, -first, 0 * first], axis=1)
        if flipped:
            emotion = np.where(first > 0.2, -emotion, emotion)
        return {"emotion": emotion, "gender": np.repeat(first, 2, axis=1), "f0_mean": first + offset}

    return forward


def test_differences_are_the_largest_and_agreement_is_the_share():
    found = compare({"torch": network(), "other": network(0.5, flipped=True)}, TASKS, CLIPS)
    assert found["torch"].keys() == {"clips_per_second"}
    assert found["other"]["max_difference"] == pytest.approx({"emotion": 0.6, "gender": 0.0, "f0_mean": 0.5})
    assert found["other"]["same_class"] == pytest.approx({"emotion": 2 / 3, "gender": 1.0})


def test_each_clip_is_processed_alone_and_in_batches_of_eight():
    log = []
    compare({"torch": network(), "other": network(log=log)}, TASKS, iter(CLIPS))
    alone = [batch for batch in log if len(batch) == 1]
    together = [batch for batch in log if len(batch) > 1]
    assert sum(map(len, log)) == 2 * len(CLIPS) + 1  # and once to warm up
    assert len(alone) < len(CLIPS) + 8  # in each group a clip or two is like no other
    assert max(map(len, together)) == 8


def test_an_output_that_is_not_a_number_is_not_overlooked():
    found = compare({"torch": network(), "other": network(np.nan)}, TASKS, CLIPS)
    assert np.isnan(found["other"]["max_difference"]["f0_mean"])
    assert found["other"]["max_difference"]["emotion"] == 0


def test_the_synthetic_clips_reach_from_one_sample_to_beyond_the_window():
    clips = synthetic_clips(6.0)
    lengths = sorted(clip.size / SAMPLING_RATE for clip in clips)
    assert lengths[0] == 1 / SAMPLING_RATE
    assert lengths[-1] == 7.5
    assert lengths[1:-1] == pytest.approx(np.linspace(0.5, 6.0, 14), abs=1e-3)
    assert all(clip.dtype == np.float32 and np.abs(clip).max() <= 1 for clip in clips)
    assert len({clip[:100].tobytes() for clip in clips}) == len(clips)
