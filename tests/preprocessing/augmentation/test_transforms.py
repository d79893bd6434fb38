import importlib.util
import math

import numpy as np
import pytest

from preprocessing.augmentation.babble import Voices
from preprocessing.augmentation.transforms import (
    TRANSFORMS,
    ClipContext,
    check_names,
    seeded_generator,
    transform_clip,
)
from preprocessing.stored_audio import stored_waveform
from preprocessing.targets.acoustics import ACOUSTIC_TARGETS, acoustic_targets
from tests.conftest import voice

ENERGY = {name for name in ACOUSTIC_TARGETS if name.startswith("energy")}


@pytest.fixture
def row(splits):
    return splits["train"].filter(lambda row: row["corpus"] == "alpha")[0]


def transformed(name, value, row, splits, seed=0):
    context = ClipContext(np.random.default_rng(seed), row["id"], Voices(splits["train"]))
    return transform_clip(name, value, row, stored_waveform(row), context)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_is_the_same_with_the_same_generator(row, splits, name):
    value = TRANSFORMS[name].draw(np.random.default_rng(3))
    (changed, waveform), (_, again) = (transformed(name, value, row, splits) for _ in range(2))
    np.testing.assert_array_equal(waveform, again)
    assert waveform.dtype == np.float32
    assert np.isfinite(waveform).all()
    assert not np.array_equal(waveform, stored_waveform(row))
    assert {name for name in row if name not in ACOUSTIC_TARGETS and changed[name] != row[name]} == set()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_values_of_a_training_are_valid_ones_of_a_condition(name):
    transform = TRANSFORMS[name]
    drawn = [transform.draw(np.random.default_rng(seed)) for seed in range(50)]
    assert all(transform.low <= value <= transform.high for value in drawn)
    assert not transform.choices or {*drawn} <= {*transform.choices}
    assert (len({*drawn}) > 1) == bool(transform.value)


@pytest.mark.parametrize("name", ["noise", "babble", "room", "telephone", "mp3", "clip"])
def test_what_changes_the_waveform_by_an_unknown_factor_leaves_no_energy(row, splits, name):
    transform = TRANSFORMS[name]
    changed, _ = transformed(name, transform.default, row, splits)
    assert {target for target in ACOUSTIC_TARGETS if math.isnan(changed[target])} == ENERGY
    assert all(changed[target] == row[target] for target in set(ACOUSTIC_TARGETS) - ENERGY)


@pytest.mark.parametrize(("name", "value"), [("gain", -20.0), ("gain", 6.0), ("speed", 1.1), ("speed", 0.9)])
def test_targets_are_those_of_the_changed_waveform_where_the_factor_is_known(name, value):
    speech = voice(3.0, 150) * np.abs(np.sin(np.linspace(0, 12, 48_000))).astype(np.float32)
    context = ClipContext(np.random.default_rng(0), "a")
    changed, waveform = transform_clip(name, value, acoustic_targets(speech), speech, context)
    measured = acoustic_targets(waveform)
    for target in ACOUSTIC_TARGETS:
        tolerance = 1e-5 if name == "gain" else 0.06  # of speed the frames differ
        if target == "f0_std" and name == "speed":
            continue  # of a vowel of constant pitch it is the resolution of pYIN
        assert measured[target] == pytest.approx(changed[target], rel=tolerance), target


def test_a_missing_target_stays_missing(row, splits):
    changed, _ = transformed("gain", -6.0, {**row, "energy_mean": None}, splits)
    assert changed["energy_mean"] is None
    assert changed["energy_std"] == pytest.approx(row["energy_std"] * 10**-0.3)


def test_babble_without_voices_is_an_error(row):
    with pytest.raises(ValueError, match="babble"):
        transform_clip("babble", 10, row, stored_waveform(row), ClipContext(np.random.default_rng(0), row["id"]))


@pytest.mark.parametrize("names", [["noise", "hiss"], ["noise", "noise"]])
def test_names_that_do_not_exist_or_are_given_twice_are_refused(names):
    with pytest.raises(ValueError, match=names[1]):
        check_names(names)


def test_mp3_without_its_package_is_refused_with_how_to_install_it(monkeypatch):
    check_names(["mp3"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_names(["noise"])
    with pytest.raises(ValueError, match="pip install fast-mp3-augment"):
        check_names(["mp3"])


def test_a_generator_depends_on_each_of_its_parts():
    parts = [
        (0, 0, "a", "noise"),
        (1, 0, "a", "noise"),
        (0, 1, "a", "noise"),
        (0, 0, "b", "noise"),
        (0, 0, "a", "gain"),
    ]
    drawn = [seeded_generator(*each).random() for each in parts]
    assert len({*drawn}) == len(parts)
    assert drawn == [seeded_generator(*each).random() for each in parts]
