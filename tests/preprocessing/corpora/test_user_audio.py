import json
import re
import unicodedata

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.clip import MISSING_FILE, Clip, SkippedClip
from preprocessing.corpora.user_audio import UserAudio, read_folder, read_table

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
OPTIONS = UserAudio(locale="fr-FR", columns=COLUMNS, gender_map={"x": "none"}, audio_folder="audio")
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
    assert fourth == SkippedClip("mine/gone.wav", MISSING_FILE)


def test_columns_of_our_own_names_need_no_mapping(folder):
    table = {"path": ["audio/a.wav"], "corpus": ["c"], "locale": ["it-IT"], "split": ["test"], "style": ["acted"]}
    pd.DataFrame(table).to_csv(folder / "t.csv", index=False)
    (clip,) = read_table(folder / "t.csv", UserAudio())
    assert isinstance(clip, Clip)
    assert (clip.corpus, clip.locale, clip.split, clip.style) == ("c", "it-IT", "test", "acted")
    assert (clip.raw_label, clip.emotion) == (None, None)


def test_columns_of_votes_are_numbers_of_votes(folder):
    rows = [
        {"path": "audio/a.wav", "joyful": "3", "cross": "NA"},
        {"path": "audio/b.wav", "joyful": "0.5", "cross": ""},
    ]
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    columns = {"emotion:joy": "joyful", "emotion:anger": "cross"}
    extra = [clip.extra for clip in read_table(folder / "clips.csv", UserAudio(columns=columns))]
    assert extra == [{"emotion:joy": 3.0, "emotion:anger": None}, {"emotion:joy": 0.5, "emotion:anger": None}]
    pd.DataFrame([{**rows[0], "cross": "-1"}]).to_csv(folder / "clips.csv", index=False)
    with pytest.raises(ValueError, match=r"row 1.*emotion:anger.*-1"):
        list(read_table(folder / "clips.csv", UserAudio(columns=columns)))


def test_na_is_text_like_any_other(folder):
    pd.DataFrame({"path": ["audio/a.wav"], "speaker": ["NA"]}).to_csv(folder / "t.csv", index=False)
    (clip,) = read_table(folder / "t.csv", UserAudio())
    assert clip.speaker == "NA"


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"x": ["a"]}, UserAudio(), "'path'.* 'x'.* --columns"),
        ({"path": ["a"]}, UserAudio(columns={"emotion": "mood"}), "'mood'"),
        ({"path": [""], "x": "1"}, UserAudio(), "row 1: .*path"),
        ({"path": ["a"], "start_s": ["soon"]}, UserAudio(), "row 1: start_s .*'soon'"),
        ({"path": ["audio/a.wav"], "split": ["dev"]}, UserAudio(), "split .*'dev'"),
        ({"path": ["audio/a.wav"], "gender": ["d"]}, UserAudio(), "--gender_map d=female"),
        ({"path": ["a"], "gender": ["d"]}, UserAudio(gender_map={"d": "man"}), None),
        ({"path": ["audio/a.wav"], "corpus": ["a/b"]}, UserAudio(), "a/b"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_reason(folder, table, options, message):
    pd.DataFrame(table).to_csv(folder / "t.csv", index=False)
    if message is None:
        assert [type(entry) for entry in read_table(folder / "t.csv", options)] == [SkippedClip]
        return
    with pytest.raises(ValueError, match=message):
        list(read_table(folder / "t.csv", options))


def test_another_kind_of_file_is_refused(folder):
    (folder / "t.xlsx").touch()
    with pytest.raises(ValueError, match=r"t\.xlsx: .*\.csv"):
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


def clips_of(folder, name: str, content: str | bytes, **options) -> list[Clip]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_table(folder / name, UserAudio(audio_folder="audio", **options)))


def test_no_row_of_a_common_voice_table_is_swallowed(folder):
    sentences = ['"Yes, she said.', "No.", 'He said "no".', 'And left."', "a", '"b"', "c", "d"]
    rows = [f"speaker{i}\t{'ab'[i % 2]}.wav\t{sentence}\t{i // 2}" for i, sentence in enumerate(sentences)]
    text = "\n".join(["client_id\tpath\tsentence\tstart_s", *rows]) + "\n"
    clips = clips_of(folder, "validated.tsv", text, columns={"speaker": "client_id"})
    assert [clip.sentence for clip in clips] == sentences
    assert [clip.speaker for clip in clips] == [f"speaker{i}" for i in range(8)]


IDS = ["812345678901234567", "812345678901234568", "007", "1.0", "True", "1e5", "NA", "-0"]


def test_identifiers_are_text_as_written(folder):
    rows = [f"a.wav,{number},{id_}" for number, id_ in enumerate(IDS)]
    text = "\n".join(["path,start_s,speaker", *rows, "a.wav,99,"]) + "\n"
    assert [clip.speaker for clip in clips_of(folder, "t.csv", text)] == [*IDS, None]


def test_numbers_of_json_are_identifiers_as_written(folder):
    ids = ["812345678901234567", "812345678901234568", "1.0", "1e5", "true", "NaN", "null"]
    lines = [f'{{"path": "a.wav", "start_s": {i}, "speaker": {id_}}}' for i, id_ in enumerate(ids)]
    clips = clips_of(folder, "t.jsonl", "\n".join([*lines, '{"path": "b.wav"}']))
    assert [clip.speaker for clip in clips] == [*ids[:5], None, None, None]


NULLABLE = {
    "Int64": ([812345678901234567, None], ["812345678901234567", None]),
    "string": (["007", pd.NA], ["007", None]),
    "boolean": ([True, None], ["true", None]),
    "category": (["a", None], ["a", None]),
    "datetime64[ns]": (["2020-01-01", None], ["2020-01-01 00:00:00", None]),
    "float64": ([1.5, None], ["1.5", None]),
    "Float64": ([1.0, pd.NA], ["1.0", None]),
}


@pytest.mark.parametrize("dtype", NULLABLE)
def test_the_types_of_pandas_are_read_from_parquet(folder, dtype):
    values, expected = NULLABLE[dtype]
    table = pd.DataFrame({"path": ["audio/a.wav", "audio/b.wav"], "speaker": pd.Series(values, dtype=dtype)})
    table.to_parquet(folder / "t.parquet")
    assert [clip.speaker for clip in read_table(folder / "t.parquet", UserAudio())] == expected


def test_an_identifier_that_has_lost_its_digits_is_refused(folder):
    table = pd.DataFrame({"path": ["audio/a.wav", "audio/b.wav"], "speaker": [812345678901234567, None]})
    table.to_parquet(folder / "t.parquet")
    with pytest.raises(ValueError, match=r"row 1: column 'speaker' .*8\.123456789012346e\+17"):
        list(read_table(folder / "t.parquet", UserAudio()))


@pytest.mark.parametrize("speaker", ["8.123456789012346e+17", "8.12346E+17", "8,12346E+17"])
@pytest.mark.parametrize("suffix", ["tsv", "jsonl"])
def test_text_that_has_lost_its_digits_is_refused_too(folder, speaker, suffix):
    row = f'{{"path": "audio/a.wav", "speaker": "{speaker}"}}' if suffix == "jsonl" else f"audio/a.wav\t{speaker}"
    (folder / f"t.{suffix}").write_text(row if suffix == "jsonl" else f"path\tspeaker\n{row}")
    with pytest.raises(ValueError, match=f"row 1: column 'speaker' .*{re.escape(speaker)}"):
        list(read_table(folder / f"t.{suffix}", UserAudio()))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
def test_a_file_is_found_in_each_unicode_form_of_its_accents(folder, form, on_disk):
    disk = folder / unicodedata.normalize(on_disk, "audio/é/ü.wav")
    disk.parent.mkdir()
    disk.touch()
    text = unicodedata.normalize(form, "path,speaker,emotion,mood\né/ü.wav,Éva,colère,gaîté\n")
    columns = {unicodedata.normalize("NFD", "état"): "mood"}
    (clip,) = clips_of(folder, "t.csv", text, columns=columns)
    assert clip.path == disk
    assert (clip.id, clip.speaker, clip.raw_label) == ("mine/é/ü.wav", "Éva", "colère")
    assert clip.extra == {"état": "gaîté"}


def test_the_two_spellings_of_a_speaker_are_one(folder):
    text = "path,start_s,speaker\na.wav,0,Éva\na.wav,1,E\u0301va\na.wav,2,\u00a0Éva \na.wav,3,É\u200bva\n"
    assert {clip.speaker for clip in clips_of(folder, "t.csv", text)} == {"Éva"}


def test_the_class_of_a_folder_is_one_whichever_way_a_disk_spells_it(tmp_path):
    for form in ("NFC", "NFD"):
        below = tmp_path / form / unicodedata.normalize(form, "colère")
        below.mkdir(parents=True)
        (below / unicodedata.normalize(form, "é.wav")).touch()
        (clip,) = read_folder(tmp_path / form, UserAudio())
        assert (clip.raw_label, clip.id) == ("colère", f"{form}/colère/é.wav")
        assert clip.path.is_file()


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "t.jsonl"), ("utf-16", "t.csv"), ("utf-16", "t.jsonl")])
def test_a_byte_order_mark_gives_the_encoding(folder, encoding, name):
    line = json.dumps({"path": "a.wav", "speaker": "Éva"}, ensure_ascii=False)
    text = {"t.jsonl": line, "t.csv": "path,speaker\na.wav,Éva\n"}[name]
    (clip,) = clips_of(folder, name, text.encode(encoding))
    assert clip.speaker == "Éva"


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
def test_a_table_in_another_encoding_is_named(folder, name):
    with pytest.raises(ValueError, match=rf"{name}, line 1: .*UTF-8"):
        clips_of(folder, name, "path,é".encode("cp1252"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.parquet", b"no parquet"), ("t.arrow", b"no arrow"), ("t.jsonl", b'{"path": '), ("t.csv", b'path\n"a')],
)
def test_a_table_that_does_not_match_its_suffix_is_refused(folder, name, content):
    with pytest.raises(ValueError, match=name):
        clips_of(folder, name, content)


def test_a_message_never_shows_audio(folder):
    sound = {"array": [0.1] * 100_000, "blob": "x" * 500_000}
    pq.write_table(
        pa.table({"path": ["audio/a.wav"], "noise": [sound], "gender": ["x" * 500_000]}), folder / "t.parquet"
    )
    for columns in ({"path": "noise"}, {"speaker": "noise"}, {"gender": "gender"}, {"split": "gender"}):
        with pytest.raises(ValueError, match="row 1") as caught:
            list(read_table(folder / "t.parquet", UserAudio(columns={"gender": "path"} | columns)))
        assert len(str(caught.value)) < 600


def test_a_missing_time_is_null(folder):
    (clip,) = clips_of(folder, "t.csv", "path,start_s,end_s\na.wav,NA,null\n")
    assert (clip.start_s, clip.end_s) == (0.0, None)


def test_a_column_that_occurs_twice_is_refused(folder):
    with pytest.raises(ValueError, match=r"2 columns .*'speaker'"):
        clips_of(folder, "t.csv", "path,speaker,speaker\na.wav,p,q\n")
