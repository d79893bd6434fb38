"""MELD: what its tables hold on its files, whose voices are known, and what happens where one of the two is missing."""

import re

import pytest

from preprocessing.clip import MISSING_FILE, NOT_IN_TABLE, UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.meld import CORPUS, GENDERS
from preprocessing.corpora.scan import Source, scan
from tests.support.corpora.meld import TABLES, table
from tests.support.corpus_folders import lay_out

WOMEN = [
    *("Alice", "Angela", "Annabelle", "Aunt Lillian", "Bernice", "Bonnie", "Brenda", "Caitlin", "Carol", "Cassie"),
    *("Cecilia", "Charlie", "Chloe", "Cookie", "Dana", "Dina", "Elizabeth", "Emily", "Erin", "Estelle", "Fake Monica"),
    *("Frannie", "Ginger", "Hope", "Isabella", "Jade", "Jane", "Janice", "Janine", "Jeannine", "Jen", "Jill", "Joanna"),
    *("Jessica Lockhart", "Joanne", "Julie", "Kate", "Kathy", "Katie", "Kiki", "Kim", "Kori", "Krista", "Kristen"),
    *("Kristin", "Lauren", "Leslie", "Lorraine", "Lydia", "Marjorie", "Megan", "Melissa", "Mindy", "Molly", "Mona"),
    *("Monica", "Mrs. Bing", "Mrs. Burgin", "Mrs. Chatracus", "Mrs. Geller", "Mrs. Green", "Mrs. Lynch", "Nancy"),
    *("Mrs. Tedlock", "Mrs. Tribbiani", "Mrs. Waltham", "Ms. McKenna", "Paula", "Phoebe", "Phoebe Sr", "Phoebe Sr."),
    *("Phoebe/Waitress", "Rachel", "Rachel/actress", "Ronni", "Shelley", "Sophie", "Stephanie", "Susan", "Ursula"),
    *("Trudie Styler", "Whitney"),
]
MEN = [
    *("Alan", "Allesandro", "Barry", "Bob", "Bobby", "Burt", "Carl", "Chandler", "Charlton Heston", "Chip", "Cliff"),
    *("Danny", "David", "Doug", "Dr. Drake Remoray", "Dr. Franzblau", "Dr. Green", "Dr. Harad", "Dr. Ledbetter"),
    *("Dr. Leedbetter", "Dr. Stryker Ramoray", "Duncan", "Earl", "Emeril", "Eric", "Frank", "Frank Sr.", "Gary"),
    *("Gary Collins", "Gunther", "Guru Saj", "Hoshi", "Issac", "Jake", "Jason", "Jay Leno", "Jim", "Joey"),
    *("Joey/Drake", "Joshua", "Julio", "Kyle", "Larry", "Liam", "Marc", "Mark", "Max", "Mike", "Mischa"),
    *("Mr. Burgin", "Mr. Franklin", "Mr. Geller", "Mr. Heckles", "Mr. Kaplan", "Mr. Posner", "Mr. Treeger"),
    *("Mr. Tribbiani", "Mr. Waltham", "Mr. Zelner", "Paolo", "Paul", "Pete", "Peter", "Raymond", "Richard", "Rick"),
    *("Robert", "Roger", "Ross", "Russell", "Sergei", "Stanley", "Steve", "Stu", "Tag", "Terry", "Tom", "Tommy"),
    *("Tony", "Vince", "Wayne", "Young Ethan"),
]
LABELED_WOMEN = [
    *("Woman", "The Woman", "Woman On Train", "The Smoking Woman", "Policewoman", "Waitress", "A Waitress", "Girl"),
    *("The Hot Girl", "Female Clerk", "A Female Student", "Joey's Sister", "Ross's Mom", "Mrs. Doe", "old lady"),
]
LABELED_MEN = [
    *(
        "Man",
        "Guy",
        "The Cigarette Guy",
        "Guy #2",
        "Policeman",
        "Fireman No. 3",
        "The Fireman",
        "The Waiter",
        "A Waiter",
    ),
    *("Hombre Man", "The Singing Man", "Salesman", "Boy in the Cape", "Rachel's Dad", "Mr. Doe", "Male Nurse"),
]
UNKNOWN = [
    *("All", "Both", "Director", "Nurse", "Joey and Ross", "Ben", "Dr. Oberman", "Mr. Bing", "Helena", "Guys", "Women"),
    *("Phoebe and Rachel", "Joey and Guy", "Man & Boy", "The Woman's Husband", "Mr. and Mrs. Geller", "German Tourist"),
    *("Manager", "Boss", ""),
]


def read_one(folder, part="train_splits", speaker="Joey", emotion="joy") -> Clip:
    row = ("“Oh my God”, he’s lost it.", speaker, emotion, 0, 0)
    lay_out(folder, {f"{part}/dia0_utt0.mp4": "", f"data/MELD/{TABLES[part]}": table([row])})
    (clip,) = CORPUS.read(folder)
    return clip


@pytest.mark.parametrize(
    ("part", "split"),
    [("train_splits", "train"), ("dev_splits_complete", "validation"), ("output_repeated_splits_test", "test")],
)
def test_the_folder_gives_the_split(tmp_path, part, split):
    clip = read_one(tmp_path, part=part)
    assert clip.split == split
    assert clip.id == f"meld/{part}/dia0_utt0.mp4"
    assert (clip.speaker, clip.sentence) == ("Joey", "“Oh my God”, he’s lost it.")


@pytest.mark.parametrize("emotion", ["neutral", "joy", "sadness", "anger", "surprise", "fear", "disgust"])
def test_the_table_gives_the_emotion(tmp_path, emotion):
    assert read_one(tmp_path, emotion=emotion).raw_label == emotion


@pytest.mark.parametrize(
    ("names", "gender"),
    [
        (WOMEN, "female"),
        (MEN, "male"),
        (LABELED_WOMEN, "female"),
        (LABELED_MEN, "male"),
        (UNKNOWN, None),
    ],
)
def test_whose_voices_are_known(tmp_path, names, gender):
    rows = [("Hi!", name, "joy", 0, index) for index, name in enumerate(names)]
    files = {f"train_splits/dia0_utt{index}.mp4": "" for index in range(len(names))}
    lay_out(tmp_path, files | {TABLES["train_splits"]: table(rows)})
    assert {clip.speaker: clip.gender for clip in CORPUS.read(tmp_path)} == {name or None: gender for name in names}


def test_no_other_voices_are_known():
    assert sorted(GENDERS) == sorted(WOMEN + MEN)


def test_the_three_parts_share_names_and_have_a_table_each(tmp_path):
    rows = {"train_splits": "joy", "dev_splits_complete": "fear", "output_repeated_splits_test": "anger"}
    for part, emotion in rows.items():
        files = {f"{part}/dia0_utt0.mp4": "", TABLES[part]: table([("Hi!", "Joey", emotion, 0, 0)])}
        lay_out(tmp_path, files)
    assert {clip.path.parent.name: clip.raw_label for clip in CORPUS.read(tmp_path)} == rows


@pytest.mark.parametrize("part", TABLES)
def test_a_missing_table_is_refused_by_name(tmp_path, part):
    others = {name: table([]) for name in TABLES.values() if name != TABLES[part]}
    lay_out(tmp_path, {f"{part}/dia0_utt0.mp4": ""} | others)
    with pytest.raises(ValueError, match=re.escape(TABLES[part])):
        list(CORPUS.read(tmp_path))


def test_a_table_with_a_byte_order_mark(tmp_path):
    text = "\ufeff" + table([("Hi!", "Joey", "joy", 0, 0)]).replace("Sr No.,", "")
    lay_out(tmp_path, {"train_splits/dia0_utt0.mp4": "", TABLES["train_splits"]: text.replace("\n1,", "\n")})
    (clip,) = CORPUS.read(tmp_path)
    assert clip.sentence == "Hi!"


def test_what_has_no_counterpart_is_skipped_with_a_reason(tmp_path):
    folder = "output_repeated_splits_test"
    names = ["dia0_utt0", "dia0_utt1", "._dia0_utt0", "final_videos_testdia0_utt0"]
    rows = [("Hi!", "Joey", "joy", 0, 0), ("Hi!", "Ross", "joy", 0, 2)]
    lay_out(tmp_path, {f"{folder}/{name}.mp4": "" for name in names} | {TABLES[folder]: table(rows)})
    entries = list(CORPUS.read(tmp_path))
    assert [entry.id for entry in entries if isinstance(entry, Clip)] == [f"meld/{folder}/dia0_utt0.mp4"]
    assert {entry.id: entry.reason for entry in entries if isinstance(entry, SkippedClip)} == {
        f"meld/{folder}/dia0_utt1.mp4": NOT_IN_TABLE,
        f"meld/{folder}/dia0_utt2.mp4": MISSING_FILE,
        f"meld/{folder}/final_videos_testdia0_utt0.mp4": UNEXPECTED_NAME,
    }


def test_a_label_of_the_gender_keeps_its_clip(tmp_path):
    names = [*LABELED_WOMEN, *LABELED_MEN, "Director"]
    files = {f"train_splits/dia0_utt{index}.mp4": "" for index in range(len(names))}
    lay_out(tmp_path, files | {TABLES["train_splits"]: table([("Hi!", n, "joy", 0, i) for i, n in enumerate(names)])})
    kept = [entry.speaker for entry in scan([Source("meld", tmp_path)]) if isinstance(entry, Clip)]
    assert sorted(kept) == sorted(names[:-1])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_a_table_in_another_encoding_is_named_with_the_one_expected(tmp_path, encoding):
    name = TABLES["train_splits"]
    lay_out(tmp_path, ["train_splits/dia0_utt0.mp4"])
    (tmp_path / name).write_bytes(table([("he’s lost it", "Joey", "joy", 0, 0)]).encode(encoding))
    with pytest.raises(ValueError, match=rf"{name}.*UTF-8"):
        list(CORPUS.read(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_table_with_a_byte_order_mark_is_read_in_its_encoding(tmp_path, encoding):
    lay_out(tmp_path, ["train_splits/dia0_utt0.mp4"])
    text = table([("he’s lost it", "Joey", "joy", 0, 0)])
    (tmp_path / TABLES["train_splits"]).write_bytes(text.encode(encoding))
    (clip,) = CORPUS.read(tmp_path)
    assert clip.sentence == "he’s lost it"


def test_a_row_that_is_cut_short_keeps_its_clip_without_a_gender(tmp_path):
    text = table([]) + '1,Hi!,,joy,neutral,0,0\n2,"Hi!'
    lay_out(tmp_path, {"train_splits/dia0_utt0.mp4": "", TABLES["train_splits"]: text})
    clip, *_ = CORPUS.read(tmp_path)
    assert (clip.raw_label, clip.gender) == ("joy", None)
