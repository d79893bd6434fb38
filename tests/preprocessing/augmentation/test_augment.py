import copy

import numpy as np
import pytest

from preprocessing.augmentation.augment import Augmentation
from preprocessing.augmentation.transforms import TRANSFORMS
from preprocessing.stored_audio import stored_waveform


@pytest.fixture
def clips(splits):
    return splits["train"]


def changed(augmentation, clips):
    return [augmentation(row, stored_waveform(row))[1] for row in clips]


def equal(first, second):
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


def test_choices_depend_on_seed_epoch_and_clip_alone(clips):
    some = clips.select(range(12))
    augmentation = Augmentation([*TRANSFORMS], 0.5, 42, clips)
    first = changed(augmentation, some)
    augmentation.set_epoch(1)
    second = changed(augmentation, some)
    assert sum(equal(first, second)) <= 1
    augmentation.set_epoch(0)
    order = [5, 3, 0]
    assert all(equal(changed(augmentation, some.select(order)), [first[index] for index in order]))
    assert all(equal(changed(Augmentation([*reversed(TRANSFORMS)], 0.5, 42, clips), some), first))
    assert not all(equal(changed(Augmentation([*TRANSFORMS], 0.5, 43, clips), some), first))


def test_another_transform_does_not_change_the_choices_of_the_first(clips):
    some = clips.select(range(20))
    alone, both = (changed(Augmentation(names, 0.5, 0, clips), some) for names in (["gain"], ["gain", "clip"]))
    originals = [stored_waveform(row) for row in some]
    assert any(equal(alone, originals))
    assert not all(equal(alone, originals))
    assert any(equal(alone, both))


@pytest.mark.slow
def test_each_transform_is_applied_with_the_probability(clips):
    augmentation = Augmentation(["gain"], 0.3, 0, clips)
    count = 0
    for epoch in range(20):
        augmentation.set_epoch(epoch)
        count += sum(augmentation(row, np.ones(1, np.float32))[1][0] != 1 for row in clips.select(range(50)))
    assert count / 1000 == pytest.approx(0.3, abs=0.05)


def test_labels_are_those_of_all_applied_transforms(clips):
    row = clips.filter(lambda row: row["corpus"] == "alpha")[0]
    augmentation = Augmentation(["gain", "speed", "telephone"], 1.0, 0, clips)
    labels, waveform = augmentation(row, stored_waveform(row))
    factor = stored_waveform(row).size / waveform.size
    assert labels["f0_mean"] == pytest.approx(row["f0_mean"] * factor, rel=1e-3)
    assert np.isnan([labels["energy_mean"], labels["energy_std"]]).all()
    assert (labels["emotion"], labels["voiced_ratio"]) == (row["emotion"], row["voiced_ratio"])


def test_the_epoch_is_shared_with_copies_in_other_processes(clips):
    augmentation = Augmentation(["gain"], 1.0, 0, clips)
    assert augmentation._epoch.is_shared()
    theirs = copy.copy(augmentation)
    augmentation.set_epoch(7)
    assert theirs._epoch.item() == 7
