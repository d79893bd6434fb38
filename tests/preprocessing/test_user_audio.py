import pandas as pd
import pytest

from preprocessing.clip import Clip, Drop
from preprocessing.user_audio import UserAudio, read_table

ROWS = [
    {"file": "a.wav", "mood": " joy ", "who": "  P1", "sex": "F", "val": 0.5, "begin": 0.0, "stop": 1.5},
    {"file": "a.wav", "mood": "anger", "who": "P1", "sex": "F", "val": None, "begin": 1.5, "stop": 2.0},
    {"file": "b.wav", "mood": "joy", "who": "P2", "sex": "x", "val": 1.0, "begin": 0.0, "stop": None},
    {"file": "gone.wav", "mood": "joy", "who": "P2", "sex": "male", "val": 1.0, "begin": 0.0, "stop": None},
]
COLUMNS = {
    "path": "file",
    "emotion": "mood",
    "speaker": "who",
    "gender": "sex",
    "valence": "val",
    "start_s": "begin",
    "end_s": "stop",
}
OPTIONS = UserAudio(locale="fr-FR", columns=COLUMNS, gender_names={"x": "none"}, audio_folder="audio")
WRITERS = {
    ".csv": lambda table, path: table.to_csv(path, index=False),
    ".tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    ".jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
    ".parquet": lambda table, path: table.to_parquet(path),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine/audio").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (tmp_path / "mine/audio" / name).touch()
    return tmp_path / "mine"


@pytest.mark.parametrize("suffix", WRITERS)
def test_any_table_reads_alike(folder, suffix):
    path = folder / f"clips{suffix}"
    WRITERS[suffix](pd.DataFrame(ROWS), path)
    first, second, third, fourth = read_table(path, OPTIONS)
    assert (first.id, first.raw_label, first.speaker, first.gender) == ("mine/a.wav", "joy", "P1", "female")
    assert (first.start_s, first.end_s, first.corpus, first.locale) == (0.0, 1.5, "mine", "fr-FR")
    assert first.path == folder / "audio/a.wav"
    assert (second.id, second.extra) == ("mine/a.wav@1.500", {"valence": None})
    assert (third.end_s, third.gender) == (None, None)
    assert float(third.extra["valence"]) == 1.0
    assert fourth == Drop("mine/gone.wav", "the table names a file that does not exist")


def test_columns_of_our_own_names_need_no_mapping(folder):
    table = {"path": ["audio/a.wav"], "corpus": ["c"], "locale": ["it-IT"], "split": ["test"], "style": ["acted"]}
    pd.DataFrame(table).to_csv(folder / "t.csv", index=False)
    (clip,) = read_table(folder / "t.csv", UserAudio())
    assert isinstance(clip, Clip)
    assert (clip.corpus, clip.locale, clip.split, clip.style) == ("c", "it-IT", "test", "acted")
    assert (clip.raw_label, clip.emotion) == (None, None)


def test_na_is_a_word_like_any_other(folder):
    pd.DataFrame({"path": ["audio/a.wav"], "speaker": ["NA"]}).to_csv(folder / "t.csv", index=False)
    (clip,) = read_table(folder / "t.csv", UserAudio())
    assert clip.speaker == "NA"


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"x": ["a"]}, UserAudio(), "has no column 'path'; it has 'x'. Name the columns with --columns"),
        ({"path": ["a"]}, UserAudio(columns={"emotion": "mood"}), "has no column 'mood'"),
        ({"path": [""], "x": "1"}, UserAudio(), "row 1: the path is empty"),
        ({"path": ["a"], "start_s": ["soon"]}, UserAudio(), "row 1: start_s is a number of seconds, got 'soon'"),
        ({"path": ["audio/a.wav"], "split": ["dev"]}, UserAudio(), "split is train, validation or test, got 'dev'"),
        ({"path": ["audio/a.wav"], "gender": ["d"]}, UserAudio(), "--gender_names d=female"),
        ({"path": ["a"], "gender": ["d"]}, UserAudio(gender_names={"d": "man"}), None),
        ({"path": ["audio/a.wav"], "corpus": ["a/b"]}, UserAudio(), "has no slash"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(folder, table, options, message):
    pd.DataFrame(table).to_csv(folder / "t.csv", index=False)
    if message is None:
        assert [type(entry) for entry in read_table(folder / "t.csv", options)] == [Drop]
        return
    with pytest.raises(ValueError, match=message):
        list(read_table(folder / "t.csv", options))


def test_another_kind_of_file_is_no_table(folder):
    (folder / "t.xlsx").touch()
    with pytest.raises(ValueError, match=r"a table is one of \.csv"):
        list(read_table(folder / "t.xlsx", UserAudio()))


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/secret.wav", "sub/../../secret.wav"])
def test_a_table_names_no_file_outside_of_its_folder(tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "table.csv").write_text(f"path,emotion\n{name},happy\n")
    with pytest.raises(ValueError, match=r"row 1: .*secret\.wav' lies outside"):
        list(read_table(tmp_path / "mine" / "table.csv", UserAudio()))


def test_a_table_may_name_files_in_full_below_the_named_folder(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "a.wav").touch()
    (tmp_path / "mine" / "table.csv").write_text(f"path,emotion\n{tmp_path / 'sounds' / 'a.wav'},happy\n")
    for folder in (str(tmp_path / "sounds"), "../sounds"):
        (clip,) = read_table(tmp_path / "mine" / "table.csv", UserAudio(audio_folder=folder))
        assert clip.id == "mine/a.wav"
        assert clip.path == tmp_path / "sounds" / "a.wav"
