import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inference.curation.manifest import REASON_COLUMN, read_manifest

NAMES = ("path", "audio_filepath")
QUOTED = 'path,text,n\r\na.wav,"He said ""no"",\r\ntwice",1.10\r\n\r\nb.wav,plain,\r\nc.wav," x",2'
TAB = 'path\ttext\na.wav\t"Bare quote\nb.wav\tplain\nc.wav\tlast\n'
BARS = 'LJ1-1|In 1,455, a "Bible"|In fourteen fifty-five\nLJ1-2|b|b\nLJ1-3|c|\n'
HEADED_BARS = "path|text|speaker\na.wav|x, y|p1\nb.wav|z|p1\nc.wav|z|p2\n"
LINES = (
    '{"audio_filepath": "a.wav", "duration": 1.10, "text": "é"}\n'
    '{"audio_filepath":"b.wav","extra":[1]}\n{"audio_filepath": "c.wav"}'
)


def write(folder, name, text):
    (folder / name).write_bytes(text.encode())
    return folder / name


@pytest.mark.parametrize(
    ("name", "text", "columns", "first", "kept", "rejected"),
    [
        (
            "m.csv",
            "\ufeff" + QUOTED,
            ("path", "text", "n"),
            {"path": "a.wav", "text": 'He said "no",\r\ntwice', "n": "1.10"},
            '\ufeffpath,text,n\r\na.wav,"He said ""no"",\r\ntwice",1.10\r\nc.wav," x",2\r\n',
            f'\ufeffpath,text,n,{REASON_COLUMN}\r\nb.wav,plain,,"too ""a""; b|c"\r\n',
        ),
        (
            "m.csv",
            "path;text\na.wav;x, y\nb.wav;z\nc.wav;\n",
            ("path", "text"),
            {"path": "a.wav", "text": "x, y"},
            "path;text\na.wav;x, y\nc.wav;\n",
            f'path;text;{REASON_COLUMN}\nb.wav;z;"too ""a""; b|c"\n',
        ),
        (
            "m.tsv",
            TAB,
            ("path", "text"),
            {"path": "a.wav", "text": '"Bare quote'},
            'path\ttext\na.wav\t"Bare quote\nc.wav\tlast\n',
            f'path\ttext\t{REASON_COLUMN}\nb.wav\tplain\ttoo "a"; b|c\n',
        ),
        (
            "metadata.csv",
            BARS,
            ("id", "text", "normalized"),
            {"id": "LJ1-1", "text": 'In 1,455, a "Bible"', "normalized": "In fourteen fifty-five"},
            'LJ1-1|In 1,455, a "Bible"|In fourteen fifty-five\nLJ1-3|c|\n',
            'LJ1-2|b|b|too "a"; b c\n',
        ),
        (
            "m.txt",
            HEADED_BARS,
            ("path", "text", "speaker"),
            {"path": "a.wav", "text": "x, y", "speaker": "p1"},
            "path|text|speaker\na.wav|x, y|p1\nc.wav|z|p2\n",
            f'path|text|speaker|{REASON_COLUMN}\nb.wav|z|p1|too "a"; b c\n',
        ),
        (
            "m.json",
            LINES,
            ("audio_filepath", "duration", "text", "extra"),
            {"audio_filepath": "a.wav", "duration": 1.1, "text": "é", "extra": None},
            '{"audio_filepath": "a.wav", "duration": 1.10, "text": "é"}\n{"audio_filepath": "c.wav"}\n',
            f'{{"audio_filepath":"b.wav","extra":[1], "{REASON_COLUMN}": ["too \\"a\\"", "b|c"]}}\n',
        ),
    ],
)
def test_rows_are_read_and_come_back_as_they_stood(tmp_path, name, text, columns, first, kept, rejected):
    manifest = read_manifest(write(tmp_path, name, text), NAMES)
    assert (len(manifest), manifest.columns) == (3, columns)
    assert {column: manifest.column(column)[0] for column in columns} == first
    manifest.write(tmp_path / "kept", [0, 2])
    assert (tmp_path / "kept").read_bytes().decode() == kept
    manifest.write(tmp_path / "gone", [1], [['too "a"', "b|c"]])
    assert (tmp_path / "gone").read_bytes().decode() == rejected
    if name.startswith("m.json"):
        assert json.loads(rejected)[REASON_COLUMN] == ['too "a"', "b|c"]


def test_all_rows_of_a_text_are_the_file_itself(tmp_path):
    for name, text in {"a.csv": QUOTED + "\r\n", "a.tsv": TAB, "b.csv": BARS, "a.jsonl": LINES + "\n"}.items():
        manifest = read_manifest(write(tmp_path, name, text), NAMES)
        manifest.write(tmp_path / "all", range(3))
        assert (tmp_path / "all").read_bytes().decode() == text.replace("\r\n\r\n", "\r\n")


def test_parquet_keeps_its_types_and_metadata(tmp_path):
    table = pa.table({"path": ["a.wav", "b.wav", None], "n": pa.array([1, 2, 3], pa.int8())})
    table = table.replace_schema_metadata({"who": "me"})
    pq.write_table(table, tmp_path / "m.parquet")
    manifest = read_manifest(tmp_path / "m.parquet", NAMES)
    assert (len(manifest), manifest.columns, manifest.column("path")) == (3, ("path", "n"), ["a.wav", "b.wav", None])
    manifest.write(tmp_path / "kept.parquet", [2, 0])
    kept = pq.read_table(tmp_path / "kept.parquet")
    assert kept.schema.equals(table.schema, check_metadata=True)
    assert kept.to_pydict() == {"path": [None, "a.wav"], "n": [3, 1]}
    manifest.write(tmp_path / "gone.parquet", [1], [["so", "so"]])
    assert pq.read_table(tmp_path / "gone.parquet").to_pylist() == [
        {"path": "b.wav", "n": 2, REASON_COLUMN: ["so", "so"]}
    ]
    manifest.write(tmp_path / "none.parquet", [], [])
    assert len(pq.read_table(tmp_path / "none.parquet")) == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.xlsx", "", r"m\.xlsx.* \.csv"),
        ("m.csv", "path,text\na.wav,x\nb.wav,x,y\n", "row 2 .*3"),
        ("m.csv", 'path,text\na.wav,"x\n', r"m\.csv.* 1\)"),
        ("m.csv", "a|b|c|d\n", "id|text|normalized.* 4 "),
        ("m.jsonl", '{"path": "a"}\n[1]\n', "row 2 "),
        ("m.jsonl", '{"path": "a"}\n{"path"\n', "row 2 "),
        ("m.csv", f"path,{REASON_COLUMN}\na.wav,x\n", REASON_COLUMN),
        ("m.parquet", "no parquet", r"m\.parquet"),
    ],
)
def test_an_invalid_manifest_is_refused(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        read_manifest(write(tmp_path, name, text), NAMES)


def test_a_manifest_that_is_missing_or_of_another_encoding(tmp_path):
    with pytest.raises(ValueError, match=r"m\.csv"):
        read_manifest(tmp_path / "m.csv", NAMES)
    (tmp_path / "m.csv").write_bytes("path\né.wav".encode("latin-1"))
    with pytest.raises(ValueError, match=r"m\.csv, line 2: .*0xe9"):
        read_manifest(tmp_path / "m.csv", NAMES)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("name", "text"), [("m.csv", "path,text\na.wav,é\nb.wav,ü\n"), ("m.jsonl", LINES + "\n")])
def test_the_encoding_of_a_byte_order_mark_is_read_and_kept(tmp_path, encoding, name, text):
    (tmp_path / name).write_bytes(text.encode(encoding))
    manifest = read_manifest(tmp_path / name, NAMES)
    assert manifest.columns[0] in NAMES
    manifest.write(tmp_path / "all", range(len(manifest)))
    assert (tmp_path / "all").read_bytes() == (tmp_path / name).read_bytes()


def test_a_tsv_that_a_spreadsheet_quoted_is_read_and_comes_back_as_it_stood(tmp_path):
    text = 'path\ttext\na.wav\t"""Yes"", she\nsaid"\nb.wav\tno\n'
    manifest = read_manifest(write(tmp_path, "m.tsv", text), NAMES)
    assert manifest.column("text") == ['"Yes", she\nsaid', "no"]
    manifest.write(tmp_path / "gone", [0], [["loud"]])
    assert (tmp_path / "gone").read_text() == f'path\ttext\t{REASON_COLUMN}\na.wav\t"""Yes"", she\nsaid"\t"loud"\n'


def test_rows_that_a_mark_swallows_are_refused(tmp_path):
    text = 'path,text\na.wav,"Yes she said\nb.wav,no\nc.wav,and left"\n'
    with pytest.raises(ValueError, match=r"m\.csv: row 1"):
        read_manifest(write(tmp_path, "m.csv", text), NAMES)
