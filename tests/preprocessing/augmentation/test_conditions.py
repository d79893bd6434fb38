import numpy as np
import pytest

from preprocessing.augmentation.babble import Voices
from preprocessing.augmentation.conditions import Condition, ConditionTransform, parse_conditions
from preprocessing.stored_audio import stored_waveform


def test_conditions_are_read_and_written():
    texts = "noise:10 babble:-5 telephone mp3:32 room:0.3 clip:2.5 gain:-20 speed:1.1".split()
    conditions = parse_conditions(texts)
    assert [str(condition) for condition in conditions] == texts
    assert conditions[0] == Condition("noise", 10.0)
    assert [str(each) for each in parse_conditions(["room", "clip", "mp3", "noise"])] == [
        *("room:0.4", "clip:5", "mp3:32", "noise:10")
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("hiss", "", "noise:", "noise:loud", "noise:nan", "noise:inf", "noise:10:5", "noise:1000"),
        *("telephone:8", "mp3:33", "gain", "gain:", "speed", "speed:0", "speed:-1", "room:0", "clip:100", "clean"),
    ],
)
def test_a_condition_that_is_not_valid_is_refused_by_its_text(text):
    with pytest.raises(ValueError, match=repr(text)):
        parse_conditions(["noise:10", text] if text != "noise:10" else [text])


def test_a_condition_that_is_given_twice_is_refused():
    with pytest.raises(ValueError, match="noise:10"):
        parse_conditions(["noise", "telephone", "noise:10.0"])


@pytest.mark.parametrize("text", ["noise:10", "babble:10", "room"])
def test_what_is_random_depends_on_the_clip_alone(splits, text):
    (condition,) = parse_conditions([text])
    transform = ConditionTransform(condition, Voices(splits["train"]))
    first, second = (splits["test"][index] for index in (0, 1))
    waveform = stored_waveform(first)
    _, once = transform(first, waveform)
    transform(second, stored_waveform(second))
    _, again = transform(first, waveform)
    np.testing.assert_array_equal(once, again)
    _, other = transform({**first, "id": "another"}, waveform)
    assert not np.array_equal(once, other)


def test_babble_is_mixed_at_its_snr(splits):
    row = splits["test"][0]
    waveform = stored_waveform(row)
    _, mixed = ConditionTransform(Condition("babble", 10.0), Voices(splits["train"]))(row, waveform)
    noise = mixed - waveform
    ratio = np.square(waveform, dtype=float).sum() / np.square(noise, dtype=float).sum()
    assert 10 * np.log10(ratio) == pytest.approx(10, abs=0.1)


def test_a_condition_lists_the_targets_that_it_changes():
    assert Condition("speed", 1.1).changed_targets == {"f0_mean", "f0_std"}
    assert Condition("gain", -20).changed_targets == {"energy_mean", "energy_std"}
