import numpy as np
import pytest
import torch

from modeling import Task
from preprocessing.prepared.collator import SERDataCollator
from preprocessing.stored_audio import stored_waveform
from tests.conftest import TASKS

MISSING = {"gender": None, "emotion": None, "f0_mean": None}


@pytest.fixture
def rows(splits):
    """Two corpora, of which one gives no gender; of different lengths."""
    train = splits["train"]
    known = train.filter(lambda row: row["corpus"] == "alpha")
    unknown = train.filter(lambda row: row["corpus"] == "beta")
    return [known[0], unknown[0], known[5], {**known[7], **MISSING}]


@pytest.fixture
def collate(feature_extractor):
    return SERDataCollator(feature_extractor, TASKS, max_duration_s=6.0)


def test_sounds_are_padded_to_the_longest_under_a_mask(rows, collate):
    batch = collate(rows)
    waveforms = [stored_waveform(row) for row in rows]
    sizes = [waveform.size for waveform in waveforms]
    assert len(set(sizes)) > 1
    assert batch["input_values"].shape == batch["attention_mask"].shape == (4, max(sizes))
    assert batch["input_values"].dtype == torch.float32
    for values, mask, waveform in zip(batch["input_values"], batch["attention_mask"], waveforms, strict=True):
        np.testing.assert_allclose(values[: waveform.size].numpy(), waveform, atol=1e-7)
        assert not values[waveform.size :].any()
        assert mask.tolist() == [1] * waveform.size + [0] * (max(sizes) - waveform.size)


def test_labels_are_one_tensor_per_task_with_the_missing_ones_marked(rows, collate):
    labels = collate(rows)["labels"]
    assert labels.keys() == {"emotion", "gender", "f0_mean", "row"}
    assert {name: tensor.shape for name, tensor in labels.items()} == dict.fromkeys(labels, (4,))
    assert (labels["emotion"].dtype, labels["gender"].dtype) == (torch.int64, torch.int64)
    assert labels["f0_mean"].dtype == torch.float32
    emotion, gender, _ = TASKS
    assert labels["emotion"].tolist() == [*(emotion.labels.index(row["emotion"]) for row in rows[:3]), -100]
    known = [gender.labels.index(rows[i]["gender"]) for i in (0, 2)]
    assert labels["gender"].tolist() == [known[0], -100, known[1], -100]
    assert labels["f0_mean"][[0, 2]].tolist() == pytest.approx([rows[i]["f0_mean"] for i in (0, 2)], rel=1e-6)
    assert labels["f0_mean"][3].isnan()


def test_a_class_that_the_task_does_not_have_is_missing(rows, feature_extractor):
    task = Task("feeling", "classification", "emotion", labels=(rows[0]["emotion"], "bored"))
    other = {**rows[0], "emotion": "envious"}
    labels = SERDataCollator(feature_extractor, [task], 6.0)([rows[0], other])["labels"]
    assert labels["feeling"].tolist() == [0, -100]


def test_a_users_own_column_is_a_target_like_any_other(rows, feature_extractor):
    task = Task("valence", "regression", "valence")
    valence = SERDataCollator(feature_extractor, [task], 6.0)(rows)["labels"]["valence"]
    assert [row["valence"] is None for row in rows] == [False, True, False, False]  # the second corpus lacks it
    expected = [row["valence"] or np.nan for row in rows]
    np.testing.assert_allclose(valence.numpy(), expected, rtol=1e-6)


def test_clips_longer_than_the_model_processes_are_cut(rows, feature_extractor):
    collate = SERDataCollator(feature_extractor, TASKS, max_duration_s=0.3)
    batch = collate(rows)
    assert batch["input_values"].shape == (4, 4800)
    assert batch["attention_mask"].all()
    for values, row in zip(batch["input_values"], rows, strict=True):
        np.testing.assert_allclose(values.numpy(), stored_waveform(row)[:4800], atol=1e-7)


def test_a_batch_has_the_indices_of_its_rows(splits, collate):
    chosen = [splits["test"][i] for i in (4, 0, 2)]
    assert collate(chosen)["labels"]["row"].tolist() == [row["row"] for row in chosen]
    assert len({row["row"] for row in chosen}) == 3


def test_a_clip_alone_is_the_clip_in_a_batch(rows, collate):
    together = collate(rows)
    for index, row in enumerate(rows):
        alone = collate([row])
        size = alone["input_values"].shape[1]
        assert alone["attention_mask"].all()
        torch.testing.assert_close(together["input_values"][index, :size], alone["input_values"][0])
        for name, tensor in alone["labels"].items():
            torch.testing.assert_close(together["labels"][name][index], tensor[0], equal_nan=True)


def test_a_transform_changes_waveform_and_labels_of_the_clip(rows, feature_extractor):
    def halve(row, waveform):
        return {**row, "f0_mean": 7.0}, waveform / 2

    plain, changed = (SERDataCollator(feature_extractor, TASKS, 6.0, transform)(rows) for transform in (None, halve))
    assert changed["input_values"].equal(plain["input_values"] / 2)
    assert changed["labels"]["f0_mean"].tolist() == [7.0] * 4
    assert changed["labels"]["emotion"].equal(plain["labels"]["emotion"])


def test_a_clip_that_becomes_too_long_is_cut_and_its_acoustic_targets_are_missing(rows, feature_extractor):
    def repeat(row, waveform):
        return row, np.tile(waveform, 2)

    batch = SERDataCollator(feature_extractor, TASKS, 1.2, repeat)(rows[:1])
    assert batch["input_values"].shape == (1, round(1.2 * 16_000))
    assert batch["labels"]["f0_mean"].isnan().all()
    assert batch["labels"]["emotion"].item() >= 0
