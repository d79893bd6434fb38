"""Each corpus, laid out in full by its publisher's grammar, with junk beside it. Files are empty: none is opened."""

from collections import Counter
from itertools import product

import pytest

from preprocessing.clip import Clip, Drop
from preprocessing.corpora import CORPORA
from preprocessing.scan import Source, scan


def ravdess() -> list[str]:
    names = []
    for channel, emotion, intensity, statement, repetition, actor in product(
        (1, 2), range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25)
    ):
        no_song = channel == 2 and (emotion > 6 or actor == 18)
        if not no_song and (emotion, intensity) != (1, 2):
            fields = (3, channel, emotion, intensity, statement, repetition, actor)
            names.append(f"Actor_{actor:02}/" + "-".join(f"{field:02}" for field in fields) + ".wav")
    return names


EMODB_COUNTS = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}


def emodb() -> list[str]:
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = []
    for letter, count in EMODB_COUNTS.items():
        cells = product("abcdef", texts, speakers)
        names += [
            f"wav/{speaker}{text}{letter}{version}.wav"
            for _, (version, text, speaker) in zip(range(count), cells, strict=False)
        ]
    return names


def urdu() -> list[str]:
    speakers = [f"SM{i}" for i in range(1, 19)] + [f"SF{i}" for i in range(1, 12)]
    return [
        f"{folder}/{speakers[i % len(speakers)]}_F{i // len(speakers) + 1}_{folder[0]}{i + 1:0{width}}.wav"
        for folder, width in (("Angry", 3), ("Happy", 2), ("Neutral", 4), ("Sad", 3))
        for i in range(100)
    ]


TREES = {"ravdess": ravdess, "emodb": emodb, "urdu": urdu}
# Counts per emotion under the paper's rules, and per gender where the publisher's full list is known here.
EXPECTED = {
    "ravdess": (
        {"angry": 376, "disgust": 192, "fear": 376, "happy": 376, "neutral": 564, "sad": 376, "surprise": 192},
        {"male": 1248, "female": 1204},
    ),
    "emodb": ({"angry": 127, "disgust": 46, "fear": 69, "happy": 71, "neutral": 79, "sad": 143}, None),
    "urdu": ({"angry": 100, "happy": 100, "neutral": 100, "sad": 100}, None),
}


def lay_out(folder, names) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("below", ["", "download/corpus"])
def test_the_full_tree_gives_the_papers_counts(tmp_path, name, below):
    lay_out(tmp_path / below, TREES[name]())
    lay_out(tmp_path / below, ["._x.wav", "Thumbs.db", ".DS_Store", "readme.txt", ".hidden/x.wav"])
    entries = scan([Source(name, tmp_path)])
    assert all(isinstance(entry, Clip) for entry in entries)
    emotions, genders = EXPECTED[name]
    assert Counter(clip.emotion for clip in entries) == emotions
    assert len(entries) == CORPORA[name].paper_clips == len({clip.id for clip in entries})
    assert len({(clip.path, clip.start_s, clip.end_s) for clip in entries}) == len(entries)
    assert {clip.locale for clip in entries} == {CORPORA[name].locale}
    if genders:
        assert Counter(clip.gender for clip in entries) == genders


@pytest.mark.parametrize(
    ("corpus", "path", "expected"),
    [
        ("ravdess", "Actor_01/03-01-01-01-01-01-01.wav", ("neutral", "male", "01", "kids", "neutral")),
        ("ravdess", "Actor_24/03-02-06-02-02-02-24.wav", ("fearful", "female", "24", "dogs", "fear")),
        ("ravdess", "Actor_02/03-01-02-01-01-01-02.wav", ("calm", "female", "02", "kids", "neutral")),
        ("ravdess", "Actor_03/03-01-07-01-01-01-03.wav", ("disgust", "male", "03", "kids", "disgust")),
        ("ravdess", "Actor_03/03-01-08-01-01-01-03.wav", ("surprised", "male", "03", "kids", "surprise")),
        ("emodb", "wav/03a01Fa.wav", ("happiness", "male", "03", "a01", "happy")),
        ("emodb", "wav/16b10Wb.wav", ("anger", "female", "16", "b10", "angry")),
        ("emodb", "wav/08a02Ab.wav", ("fear", "female", "08", "a02", "fear")),
        ("emodb", "wav/10b03La.wav", ("boredom", "male", "10", "b03", "sad")),
        ("emodb", "wav/11b03Ea.wav", ("disgust", "male", "11", "b03", "disgust")),
        ("emodb", "wav/12b03Ta.wav", ("sadness", "male", "12", "b03", "sad")),
        ("emodb", "wav/13b03Na.wav", ("neutral", "female", "13", "b03", "neutral")),
        ("urdu", "Angry/SM1_F10_A010.wav", ("angry", "male", "SM1", None, "angry")),
        ("urdu", "Sad/SF10_F1_S01.wav", ("sad", "female", "SF10", None, "sad")),
        ("urdu", "Sad/SM6_F4_S0100.wav", ("sad", "male", "SM6", None, "sad")),
        ("urdu", "Happy/SM6_F4_H01.wav", ("happy", "male", "SM6", None, "happy")),
        ("urdu", "Neutral/SM6_F4_N01.wav", ("neutral", "male", "SM6", None, "neutral")),
    ],
)
def test_a_name_says_what_it_says(tmp_path, corpus, path, expected):
    lay_out(tmp_path, [path])
    (clip,) = scan([Source(corpus, tmp_path)])
    assert (clip.raw_label, clip.gender, clip.speaker, clip.sentence, clip.emotion) == expected
    assert clip.id == f"{corpus}/{path}"


def test_the_id_does_not_depend_on_where_the_corpus_lies(tmp_path):
    path = "Actor_01/03-01-01-01-01-01-01.wav"
    lay_out(tmp_path / "a/b", [path])
    assert [scan([Source("ravdess", tmp_path / root)])[0].id for root in ("", "a", "a/b")] == [f"ravdess/{path}"] * 3


def test_what_is_not_of_the_form_is_dropped_with_a_reason(tmp_path):
    names = [
        "Actor_01/03-01-01-01-01-01-01.wav",
        "Actor_01/03-01-09-01-01-01-01.wav",
        "audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav",
        "Actor_25/03-01-01-01-01-01-25.wav",
    ]
    lay_out(tmp_path, names)
    entries = scan([Source("ravdess", tmp_path)])
    assert [entry.id for entry in entries if isinstance(entry, Clip)] == ["ravdess/Actor_01/03-01-01-01-01-01-01.wav"]
    assert Counter(entry.reason for entry in entries if isinstance(entry, Drop)) == {
        "the file name is not of the corpus's form": 2,
        "the same file again in another folder": 1,
    }


def test_every_corpus_says_where_it_comes_from():
    for name, corpus in CORPORA.items():
        assert corpus.name == name
        assert corpus.homepage.startswith("http")
        assert all((corpus.title, corpus.licence, corpus.form, corpus.locale))
        assert corpus.style in ("acted", "natural")
