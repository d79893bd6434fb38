import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from modeling.feature_extraction_whisper_ser import WhisperLogMel
from tests.conftest import voice
from tests.support.batches import padded

LENGTHS = (0.02, 0.5, 1.9999, 6.0)


def log_mel(clips, bins=80):
    return WhisperLogMel(bins)(*padded([torch.from_numpy(clip) for clip in clips]))


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("seconds", [*LENGTHS[1:], 30.0])
def test_it_is_transformers_feature_extractor(seconds, bins):
    clip = voice(seconds, 150)
    extractor = WhisperFeatureExtractor(feature_size=bins)
    expected = extractor(clip, sampling_rate=16_000, padding="do_not_pad", return_tensors="np").input_features
    found, mask = log_mel([clip], bins)
    assert mask.all()
    assert np.abs(found.numpy() - expected).max() < 1e-4
    on_30_s = np.pad(clip, (0, 480_000 - clip.size))
    expected = extractor(clip, sampling_rate=16_000, return_tensors="np").input_features
    assert np.abs(log_mel([on_30_s], bins)[0].numpy() - expected).max() < 1e-4


def test_a_clip_is_the_same_alone_and_in_a_batch():
    clips = [voice(seconds, 100 + 50 * i, i) * 10.0**-i for i, seconds in enumerate(LENGTHS)]
    together, mask = log_mel(clips)
    for clip, found, frames in zip(clips, together, mask, strict=True):
        alone, _ = log_mel([clip])
        count = int(frames.sum())
        assert count == clip.size // 160
        torch.testing.assert_close(found[:, :count], alone[0], rtol=0, atol=1e-5)
        assert not found[:, count:].any()


def test_it_stays_in_float32_and_out_of_checkpoints():
    module = WhisperLogMel(80).to(torch.bfloat16)
    assert module.fourier_filters.dtype == torch.float32
    assert not module.state_dict()
    assert module(torch.zeros(1, 800), torch.ones(1, 800).long())[0].isfinite().all()
    with torch.device("meta"):
        assert WhisperLogMel(80).mel_filters.device.type == "cpu"
