from collections import Counter
from itertools import product

import numpy as np
import pytest

from preprocessing.labels import EMOTIONS, GENDERS
from preprocessing.prepared.protocols import PROTOCOLS, SPLITS, Row, make_split

KEEPING_PARTITION = ("paper", "paper-20", "cross")  # that keep the authors' partition
STRATIFIED = (*KEEPING_PARTITION, "loco")
SHARES = {
    "paper": (0.75, 0.10, 0.15),
    "paper-20": (0.70, 0.10, 0.20),
    "speaker": (0.75, 0.10, 0.15),
    "loco": (0.90, 0.10, 0.0),
    "cross": (0.75, 0.10, 0.15),
    "all": (1.0, 0.0, 0.0),
}


def rows(sizes, corpus="corpus", speakers=10, split=None) -> list[Row]:
    """Clips of a corpus with this many in each stratum: gender and emotion."""
    return [
        Row(f"{corpus}/{gender}_{emotion}_{i:04}", corpus, f"s{i % speakers}", gender, emotion, split)
        for (gender, emotion), size in sizes.items()
        for i in range(size)
    ]


def sizes(*counts, seed=None, highest=0) -> dict:
    """Strata of these sizes, or of 14 random ones."""
    strata = list(product(GENDERS, EMOTIONS))
    if seed is not None:
        counts = np.random.default_rng(seed).integers(1, highest + 1, len(strata))
    return {stratum: int(count) for stratum, count in zip(strata, counts, strict=False)}


# Many strata, of which most are too small for three splits: more emotions than seven, as users have them.
MANY_SMALL = {(gender, f"e{i}"): 1 + (7 * i) % 9 for i, gender in product(range(60), GENDERS)}
STRATA = {
    "equal": sizes(*[40] * 14),
    "one clip each": sizes(*[1] * 14),
    "three clips each": sizes(*[3] * 14),
    "seven clips each": sizes(*[7] * 14),
    "many small": MANY_SMALL,
    **{f"random up to {highest}": sizes(seed=highest, highest=highest) for highest in (4, 12, 50, 300)},
    "without gender": {(None, emotion): 11 for emotion in EMOTIONS},
    "one class": {("male", "angry"): 33},
}


def test_the_shares_are_the_designs():
    assert {name: protocol.shares for name, protocol in PROTOCOLS.items()} == SHARES


@pytest.mark.parametrize("protocol", STRATIFIED)
@pytest.mark.parametrize("name", STRATA)
def test_each_stratum_is_within_a_clip_of_its_share_and_the_totals_too(name, protocol):
    clips = rows(STRATA[name])
    splits, _ = make_split(clips, protocol)
    assert splits.keys() == {clip.id for clip in clips}
    counts = Counter((clip.gender, clip.emotion, splits[clip.id]) for clip in clips)
    assert {split for *_, split in counts} <= set(SPLITS)
    for split, share in zip(SPLITS, SHARES[protocol], strict=True):
        for (gender, emotion), size in STRATA[name].items():
            assert abs(counts[gender, emotion, split] - share * size) < 1, (gender, emotion, split)
        assert abs(Counter(splits.values())[split] - share * len(clips)) < 2, split


@pytest.mark.parametrize("seed", range(8))
def test_the_totals_stay_on_course_whatever_the_strata(seed):
    random = np.random.default_rng(seed)
    strata = {(gender, f"e{i}"): int(random.integers(1, 30)) for i in range(40) for gender in GENDERS}
    for protocol in STRATIFIED:
        counts = Counter(make_split(rows(strata), protocol, seed)[0].values())
        for split, share in zip(SPLITS, SHARES[protocol], strict=True):
            assert abs(counts[split] - share * sum(strata.values())) < 3, (protocol, split)


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "all"])
def test_the_same_seed_divides_alike_and_another_does_not(protocol):
    clips = rows(STRATA["equal"], speakers=30)
    assert make_split(clips, protocol, 3) == make_split(clips, protocol, 3)
    assert make_split(clips, protocol, 3)[0] != make_split(clips, protocol, 4)[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_corpus_is_divided_alike_whatever_else_there_is_and_in_whatever_order(protocol):
    mine, other = rows(STRATA["equal"], "mine"), rows(STRATA["random up to 50"], "another")
    alone, notes = make_split(mine, protocol)
    together, all_notes = make_split([*other, *mine][::-1], protocol)
    assert {id_: split for id_, split in together.items() if id_ in alone} == alone
    assert together.keys() == {clip.id for clip in mine + other}
    assert [note for note in all_notes if note.startswith("mine: ")] == notes


def test_two_corpora_of_the_same_shape_are_divided_differently():
    splits, _ = make_split(rows(STRATA["equal"], "a") + rows(STRATA["equal"], "b"), "paper")
    assert [splits[id_] for id_ in sorted(splits) if id_.startswith("a/")] != [
        splits[id_] for id_ in sorted(splits) if id_.startswith("b/")
    ]


@pytest.mark.parametrize("protocol", KEEPING_PARTITION)
def test_the_authors_partition_is_kept(protocol):
    clips = [row._replace(split=SPLITS[i % 7 % 3]) for i, row in enumerate(rows(STRATA["equal"]))]
    splits, notes = make_split(clips, protocol)
    assert splits == {clip.id: clip.split for clip in clips}
    (kept,) = notes
    assert kept.startswith("corpus: ")
    assert kept.endswith("(train, validation, test)")


@pytest.mark.parametrize("protocol", KEEPING_PARTITION)
def test_validation_is_taken_from_the_authors_training_clips_alone(protocol):
    clips = [row._replace(split="test" if i % 4 == 0 else "train") for i, row in enumerate(rows(STRATA["equal"]))]
    splits, notes = make_split(clips, protocol)
    assert {id_ for id_, split in splits.items() if split == "test"} == {c.id for c in clips if c.split == "test"}
    training = [clip for clip in clips if clip.split == "train"]
    _, validation, test = SHARES[protocol]
    for stratum in STRATA["equal"]:
        mine = [splits[clip.id] for clip in training if (clip.gender, clip.emotion) == stratum]
        assert set(mine) == {"train", "validation"}
        assert abs(mine.count("validation") - len(mine) * validation / (1 - test)) < 1
    kept, taken = notes
    assert kept.endswith("(train, test)")
    assert "validation" in taken


def test_the_authors_partition_is_of_no_account_where_the_test_is_another_corpus():
    clips = rows(STRATA["equal"])
    parted = [row._replace(split=SPLITS[i % 7 % 3]) for i, row in enumerate(clips)]
    assert make_split(parted, "loco") == make_split(clips, "loco")
    assert set(make_split(parted, "loco")[0].values()) == {"train", "validation"}


def test_cross_divides_as_paper_does():
    clips = rows(STRATA["random up to 300"], "a") + rows(STRATA["without gender"], "b", split="train")
    assert make_split(clips, "cross", 5) == make_split(clips, "paper", 5)


def test_validation_clips_are_kept_where_a_test_split_is_missing():
    clips = [row._replace(split="validation" if i % 9 == 0 else "train") for i, row in enumerate(rows(STRATA["equal"]))]
    splits, _ = make_split(clips, "paper")
    kept = {id_ for id_, split in splits.items() if split == "validation"}
    assert kept == {clip.id for clip in clips if clip.split == "validation"}
    counts = Counter(splits.values())
    assert abs(counts["test"] - (len(clips) - len(kept)) * 0.15 / 0.9) < 3


def test_clips_that_the_authors_partition_forgets_are_for_training():
    clips = [row._replace(split=(*SPLITS, None)[i % 4]) for i, row in enumerate(rows(STRATA["equal"]))]
    splits, _ = make_split(clips, "paper")
    assert splits == {clip.id: clip.split or "train" for clip in clips}


@pytest.mark.parametrize("protocol", STRATIFIED)
def test_strata_too_small_for_every_split_are_named(protocol):
    splits, notes = make_split(rows(sizes(40, 2, 40, 1)), protocol)
    assert len(splits) == 83
    (note,) = notes
    assert note.startswith("corpus: ")
    assert note.endswith(": female disgust (2), female happy (1)")
    assert make_split(rows(sizes(40, 40)), protocol)[1] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_corpus_of_one_clip_is_for_training(protocol):
    splits, notes = make_split(rows(sizes(1)), protocol)
    assert splits == {"corpus/female_angry_0000": "train"}
    assert len(notes) == (protocol != "all")


def test_every_clip_is_for_training_also_those_of_the_authors_test():
    clips = [row._replace(split="test") for row in rows(STRATA["equal"])]
    splits, notes = make_split(clips, "all")
    assert splits == {row.id: "train" for row in clips}
    assert notes == []


@pytest.mark.parametrize("speakers", [3, 4, 10, 29, 91])
def test_no_speaker_is_in_two_splits(speakers):
    clips = rows(STRATA["random up to 300"], speakers=speakers)
    splits, notes = make_split(clips, "speaker")
    assert splits.keys() == {clip.id for clip in clips}
    homes = {(clip.speaker, splits[clip.id]) for clip in clips}
    assert len(homes) == len({speaker for speaker, _ in homes})
    counts = Counter(split for _, split in homes)
    for split, share in zip(SPLITS, SHARES["speaker"], strict=True):
        assert counts[split] >= 1
        assert abs(counts[split] - share * len(homes)) < 1.5
    assert notes == [f"corpus: {len(homes)} speakers: " + ", ".join(f"{counts[split]} in {split}" for split in SPLITS)]


def test_speakers_are_chosen_so_that_the_strata_fit():
    clips = [row._replace(speaker=f"{row.gender} {row.speaker}") for row in rows(STRATA["equal"])]
    splits, _ = make_split(clips, "speaker")
    test = Counter(clip.gender for clip in clips if splits[clip.id] == "test")
    assert set(test) == set(GENDERS)


@pytest.mark.parametrize(
    ("clips", "why"),
    [
        (rows(STRATA["equal"], speakers=2), "2 speakers"),
        (rows(STRATA["equal"], speakers=1), "1 speakers"),
        ([*rows(STRATA["equal"]), Row("corpus/x", "corpus", None, None, "sad", None)], "clips without a speaker"),
    ],
)
def test_a_corpus_with_too_few_known_speakers_is_wholly_in_training(clips, why):
    splits, notes = make_split(clips, "speaker")
    assert set(splits.values()) == {"train"}
    (note,) = notes
    assert note.startswith("corpus: ")
    assert why in note
    assert "folds:K" in note  # which tests it
