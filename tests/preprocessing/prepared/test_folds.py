from collections import Counter

import pytest

from preprocessing.prepared.folds import assign_folds, describe_folds, split_fold
from preprocessing.prepared.protocols import Row
from tests.support.documents import numbers

EMOTIONS = ("angry", "happy", "sad")


def corpus(name, sizes, session=lambda speaker: None) -> list[Row]:
    """Clips of speakers with this many each; every other speaker is a woman."""
    return [
        Row(
            f"{name}/{speaker}_{i:03}", name, speaker, ("female", "male")[number % 2], EMOTIONS[i % 3], "test", "de-DE",
            session(speaker),
        )
        for number, (speaker, size) in enumerate(sizes.items())
        for i in range(size)
    ]  # fmt: skip


RAVDESS = corpus("ravdess", {f"{i:02}": 60 for i in range(24)})
EMODB = corpus("emodb", dict(zip("abcdefghij", (49, 58, 43, 38, 55, 35, 61, 69, 56, 71), strict=True)))
EMOVO = corpus("emovo", {f"{sex}{i}": 98 for sex in "fm" for i in "12"})
IEMOCAP = corpus("iemocap", {f"Ses0{i}{sex}": 40 + i for i in range(1, 6) for sex in "FM"}, lambda s: s[:5])
TESS = corpus("tess", {"OAF": 30, "YAF": 31})
PAVOQUE = corpus("pavoque", {"only": 20})
ALL = [*RAVDESS, *EMODB, *EMOVO, *IEMOCAP, *TESS, *PAVOQUE]


FOLDS = ("2", "10", "speaker", "customary")


def check(rows, folds, seed=0) -> list[list[str]]:
    """That every clip is tested once, and no speaker of the test is in the rest; returns the notes of each fold."""
    tested = Counter()
    notes = []
    for fold in range(1, max(folds.values()) + 1):
        splits, about = split_fold(rows, folds, fold, seed)
        assert splits.keys() == {row.id for row in rows}
        places = {*splits.values()}
        speakers = {split: {(r.corpus, r.speaker) for r in rows if splits[r.id] == split} for split in places}
        assert speakers.keys() == {"train", "validation", "test"}
        assert not speakers["test"] & (speakers["train"] | speakers["validation"])
        tested.update(id_ for id_, split in splits.items() if split == "test")
        notes.append(about)
    assert tested == Counter(row.id for row in rows)
    return notes


@pytest.mark.parametrize("by", ["5", *FOLDS])
def test_every_clip_is_tested_once_apart_from_its_speaker(by):
    folds, notes = assign_folds(ALL, by, 0)
    check(ALL, folds)
    assert [note.partition(":")[0] for note in notes] == ["emodb", "emovo", "iemocap", "pavoque", "ravdess", "tess"]


def test_folds_are_balanced_by_clips_and_where_that_leaves_a_choice_by_gender():
    folds, _ = assign_folds([*RAVDESS, *EMODB], "5", 0)
    sizes = Counter((row.corpus, folds[row.id]) for row in [*RAVDESS, *EMODB])
    assert sorted(sizes["ravdess", fold] for fold in range(1, 6)) == [240, 300, 300, 300, 300]
    emodb = [sizes["emodb", fold] for fold in range(1, 6)]
    assert max(emodb) - min(emodb) < 10
    for fold in range(1, 6):
        women = len({row.speaker for row in RAVDESS if folds[row.id] == fold and row.gender == "female"})
        assert 2 <= women <= 3


def test_a_corpus_of_few_speakers_is_tested_in_the_first_folds():
    folds, notes = assign_folds(ALL, "5", 0)
    by_corpus = {name: {folds[row.id] for row in ALL if row.corpus == name} for name in ("emovo", "tess", "pavoque")}
    assert by_corpus == {"emovo": {1, 2, 3, 4}, "tess": {1, 2}, "pavoque": {1}}
    assert [numbers(note) for note in notes if note.startswith("emovo: ")] == [[4, 1, 4]]
    assert any(note.startswith("pavoque: ") for note in notes)


def test_the_customary_folds_of_each_corpus():
    folds, _ = assign_folds(ALL, "customary", 0)
    counts = {name: max(folds[row.id] for row in ALL if row.corpus == name) for name in ("ravdess", "emodb", "emovo")}
    assert counts == {"ravdess": 5, "emodb": 10, "emovo": 4}
    sessions = {row.session: folds[row.id] for row in IEMOCAP}
    assert sorted(sessions.values()) == [1, 2, 3, 4, 5]
    assert all(folds[row.id] == sessions[row.session] for row in IEMOCAP)


def test_one_session_or_one_speaker_is_left_out():
    folds, _ = assign_folds(IEMOCAP, "session", 0)
    assert max(folds.values()) == 5
    check(IEMOCAP, folds)
    folds, _ = assign_folds(IEMOCAP, "speaker", 0)
    assert max(folds.values()) == 10
    with pytest.raises(ValueError, match=r"emodb.*folds:customary"):
        assign_folds([*IEMOCAP, *EMODB], "session", 0)


def test_validation_has_speakers_of_its_own_where_at_least_ten_remain():
    rows = [*RAVDESS, *EMOVO, *TESS]
    folds, _ = assign_folds(rows, "5", 0)
    notes = check(rows, folds)
    for fold in range(1, 6):
        splits, _ = split_fold(rows, folds, fold, 0)
        for name, shared in (("ravdess", False), ("tess", True), ("emovo", True)):
            mine = [row for row in rows if row.corpus == name and splits[row.id] != "test"]
            places = ("train", "validation")
            speakers = {split: {row.speaker for row in mine if splits[row.id] == split} for split in places}
            assert bool(speakers["train"] & speakers["validation"]) == shared, (name, fold)
            assert 0.05 < sum(splits[row.id] == "validation" for row in mine) / len(mine) < 0.11
    assert [("emovo" in note, "tess" in note, "ravdess" in note) for (note,) in notes] == [(True, True, False)] * 5


def test_speakers_that_are_unknown_are_never_in_training_and_test():
    unknown = [row._replace(speaker=None) if i % 7 == 0 else row for i, row in enumerate(EMODB)]
    folds, notes = assign_folds([*unknown, *RAVDESS], "5", 0)
    assert {folds[row.id] for row in unknown} == {1}
    assert any(note.startswith("emodb: ") for note in notes)


def test_folds_do_not_depend_on_other_corpora_or_the_order():
    alone, _ = assign_folds(RAVDESS, "5", 3)
    together, _ = assign_folds(ALL[::-1], "5", 3)
    assert alone == {row.id: together[row.id] for row in RAVDESS}
    assert split_fold(RAVDESS, alone, 2, 3)[0].items() <= split_fold(ALL[::-1], together, 2, 3)[0].items()
    assert alone != assign_folds(RAVDESS, "5", 4)[0]


@pytest.mark.parametrize("by", ["1", "0", "-3", "x", "²", "5.0", ""])
def test_another_number_of_folds_is_refused(by):
    with pytest.raises(ValueError, match="folds:"):
        assign_folds(RAVDESS, by, 0)


def test_a_fold_without_test_clips_is_refused():
    with pytest.raises(ValueError, match=r"folds:5 .*4"):
        assign_folds([*EMOVO, *TESS], "5", 0)


def test_the_description_names_the_rule():
    assert describe_folds("7").startswith("7 folds")
    assert "session" in describe_folds("session")
