from collections import Counter

import pytest

from preprocessing.prepared.computed import compute_division
from preprocessing.prepared.load import count_in_no_split, load_prepared
from preprocessing.prepared.protocols import Row, make_split
from preprocessing.prepared.split_files import load_protocol, load_splits, num_folds

ROWS = [
    Row(f"{corpus}/{i:03}", corpus, f"s{i % 6}", ("female", "male")[i % 2], ("angry", "sad")[i % 3 % 2], None, locale)
    for corpus, locale in (("a", "de-DE"), ("b", "de-DE"), ("c", "pl-PL"), ("d", None))
    for i in range(60)
]


def test_a_locale_that_is_left_out_is_the_test_and_nothing_else():
    division = compute_division(ROWS, "lolo", "de-DE", None, 0)
    by_corpus = {name: {division.clips[row.id] for row in ROWS if row.corpus == name} for name in "abcd"}
    assert by_corpus == {"a": {"test"}, "b": {"test"}, "c": {"train", "validation"}, "d": {None}}
    loco, _ = make_split(ROWS, "loco")
    assert all(division.clips[row.id] == loco[row.id] for row in ROWS if row.corpus == "c")
    assert "60" in division.notes[-1]


def test_few_shots_are_added_to_every_other_corpus():
    division = compute_division(ROWS, "fewshot", "c:4", None, 0)
    counts = Counter((id_[0], split) for id_, split in division.clips.items())
    assert counts["c", "train"] == 8
    assert counts["c", "test"] == 30
    assert (counts["a", "train"], counts["a", "test"]) == (54, 0)


@pytest.mark.parametrize(
    ("family", "argument", "fold", "named"),
    [
        ("lolo", "fr-FR", None, "de-DE, pl-PL"),
        ("lolo", "", None, "lolo:LOCALE"),
        ("lolo", "de-DE", 1, "/1"),
        ("fewshot", "c", None, "fewshot:CORPUS:K"),
        ("fewshot", "c:0", None, "fewshot:c:0"),
        ("fewshot", "x:3", None, "a, b, c, d"),
        ("folds", "5", 6, "1 to 5"),
        ("folds", "5", 0, "1 to 5"),
    ],
)
def test_what_does_not_fit_the_clips_is_refused(family, argument, fold, named):
    with pytest.raises(ValueError, match=named):
        compute_division(ROWS, family, argument, fold, 0)


@pytest.mark.slow
def test_a_prepared_folder_has_every_computed_protocol(prepared):
    assert num_folds(prepared, "folds:2") == 2
    assert num_folds(prepared, "folds:2/1") is num_folds(prepared, "paper") is None
    tested = [id_ for fold in (1, 2) for id_ in load_prepared(prepared, f"folds:2/{fold}")["test"]["id"]]
    assert sorted(tested) == sorted(load_splits(prepared, "paper"))
    protocol = load_protocol(prepared, "folds:2/1")
    assert [protocol[key] for key in ("protocol", "family", "corpus", "folds", "fold", "seed")] == [
        "folds:2/1",
        "folds:2",
        None,
        2,
        1,
        0,
    ]
    splits = load_prepared(prepared, "lolo:pl-PL")
    assert {*splits["test"]["corpus"]} == {"beta"}
    few = load_prepared(prepared, "fewshot:alpha:2")
    assert Counter(few["train"]["corpus"])["alpha"] == 6
    assert count_in_no_split(prepared, few) > 0


@pytest.mark.parametrize("protocol", ["folds:2", "folds:2/x", "folds:2/3", "paper/1", "loco:alpha/1", "folds"])
def test_what_is_not_a_single_division_cannot_be_loaded(prepared, protocol):
    with pytest.raises(ValueError, match=protocol.partition("/")[0]):
        load_prepared(prepared, protocol)
