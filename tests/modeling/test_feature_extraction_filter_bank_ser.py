import pytest
import torch
from transformers import SeamlessM4TFeatureExtractor

from modeling import SAMPLING_RATE
from modeling.feature_extraction_filter_bank_ser import MIN_SAMPLES, FilterBank
from tests.conftest import voice


def speech(samples: int, seed: int = 0) -> torch.Tensor:
    """A vowel with as much noise as a room has: a pure tone's empty bands are rounding errors in any float."""
    random = torch.Generator().manual_seed(seed)
    vowel = torch.from_numpy(voice(samples / SAMPLING_RATE, 120 + 30 * seed, seed))
    return 0.3 * vowel + 0.03 * torch.randn(samples, generator=random)


def alone(waveform: torch.Tensor) -> torch.Tensor:
    features, mask = FilterBank()(waveform[None], torch.ones(1, len(waveform)))
    assert mask.all()
    return features[0]


# Two frames are divided by their difference, which for some bands is small.
@pytest.mark.parametrize(
    ("samples", "tolerance"), [(MIN_SAMPLES, 2e-3), (8_000, 1e-4), (16_080, 1e-4), (47_999, 1e-4), (96_000, 1e-4)]
)
def test_features_equal_those_of_transformers(samples, tolerance):
    extractor = SeamlessM4TFeatureExtractor(feature_size=80, num_mel_bins=80)
    waveform = speech(samples)
    expected = extractor(waveform.numpy(), sampling_rate=SAMPLING_RATE, return_tensors="pt")
    steps = int(expected["attention_mask"].sum())
    torch.testing.assert_close(alone(waveform), expected["input_features"][0, :steps], rtol=0, atol=tolerance)


def test_a_clip_has_the_same_features_alone_and_in_a_batch():
    lengths = [MIN_SAMPLES, 1_600, 20_000, 40_123, 96_000]
    clips = [speech(length, seed) for seed, length in enumerate(lengths)]
    values = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    features, mask = FilterBank()(values, torch.arange(values.shape[1]) < torch.tensor(lengths)[:, None])
    for row, clip in enumerate(clips):
        expected = alone(clip)
        assert mask[row].sum() == len(expected)
        torch.testing.assert_close(features[row, : len(expected)], expected, rtol=0, atol=1e-5)
        assert not features[row, len(expected) :].any()


def test_silence_is_zero_in_any_batch():
    values = torch.stack((torch.zeros(96_000), speech(96_000)))
    features, _ = FilterBank()(values, torch.arange(96_000) < torch.tensor([[16_000], [96_000]]))
    assert not features[0].any()
    assert not alone(torch.zeros(16_000)).any()


def test_a_model_in_bfloat16_computes_them_precisely():
    bank = FilterBank().to(torch.bfloat16)
    waveform = speech(16_000)
    with torch.autocast("cpu", torch.bfloat16):
        features, _ = bank(waveform[None], torch.ones(1, 16_000))
    assert features.dtype == torch.float32
    torch.testing.assert_close(features[0], alone(waveform))


def test_a_checkpoint_holds_none_of_it():
    assert not FilterBank().state_dict()
