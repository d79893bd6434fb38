import numpy as np
import pytest

from inference.dubbing.normalization import group_voices, normalize
from inference.dubbing.prosody import LineProsody

LINES, CLASSES = 100, 5


def deliveries(emotions, bias, pitch, random):
    """Lines of distinct emotions, predicted by a model that the language biases: `bias` is added to its logits."""
    logits = 4 * np.eye(CLASSES)[emotions] + random.normal(scale=0.7, size=(LINES, CLASSES)) + bias
    emotion = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return LineProsody(emotion, pitch + random.normal(scale=1.0, size=LINES), random.normal(-30, 1.0, LINES))


def test_low_and_high_voices_are_distinguished_if_there_are_both():
    random = np.random.default_rng(0)
    low, high = random.normal(82, 1.5, 40), random.normal(92, 1.5, 60)
    mixed = np.concatenate([low, high, [np.nan]])
    assert group_voices(mixed).tolist() == [0] * 40 + [1] * 61
    for pitch in (low, random.uniform(80, 95, 200), np.full(30, 85.0), np.full(9, np.nan), np.zeros(0)):
        assert not group_voices(pitch).any()


@pytest.mark.parametrize("strength", [0, 3, 6])
def test_a_bias_by_language_hides_no_finding(strength):
    random = np.random.default_rng(strength)
    emotions = random.integers(CLASSES, size=LINES)
    swapped = np.arange(LINES) % 5 == 0
    dubbed = np.where(swapped, (emotions + 1) % CLASSES, emotions)
    source = deliveries(emotions, strength * np.eye(CLASSES)[0], 85.0, random)
    dub = deliveries(dubbed, strength * np.eye(CLASSES)[1], 92.0, random)
    source, dub = normalize(source, dub)
    apart = np.abs(source.emotion - dub.emotion).sum(axis=1)
    assert swapped[np.argsort(-apart)[:20]].mean() > 0.6
    assert abs(np.median(dub.pitch - source.pitch)) < 0.5
    assert source.emotion.sum(axis=1) == pytest.approx(1)
