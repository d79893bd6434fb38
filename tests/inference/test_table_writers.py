import json
import os

import pandas as pd
import pyarrow.parquet as pq
import pytest

import inference.table_writers
from inference.table_writers import ROW_FORMATS, columns, flatten
from modeling import OutputOptions
from tests.conftest import TASKS

OUTPUTS = {
    "emotion": [{"label": "sad", "score": 0.75}, {"label": "angry", "score": 0.25}],
    "gender": [{"label": "male", "score": 0.5}, {"label": "female", "score": 0.5}],
    "f0_mean": {"value": 181.25, "unit": "Hz"},
}
ROWS = [
    {"file": 'a "quoted"\nname, گفتار.wav', **OUTPUTS, "uncertain": True, "duration_s": 7.5, "analyzed_s": 6.0},
    {"file": os.fsdecode(b"caf\xe9.wav"), "error": "no sound"},
    {"file": "b.wav", **OUTPUTS, "uncertain": False, "duration_s": 1.0, "analyzed_s": 1.0},
]
OPTIONS = OutputOptions(labels=("angry", "sad"), uncertain_below=0.8)
TABLE = columns(TASKS, TASKS[0], OPTIONS, timeline=False, channel=False)


def test_outputs_are_flattened():
    assert flatten(OUTPUTS) == {
        "emotion": "sad",
        "emotion_score": 0.75,
        "emotion_sad": 0.75,
        "emotion_angry": 0.25,
        "gender": "male",
        "gender_score": 0.5,
        "gender_male": 0.5,
        "gender_female": 0.5,
        "f0_mean": 181.25,
    }


def test_columns_are_those_of_the_request_in_the_order_of_the_heads():
    first, last = "file emotion emotion_score error", "uncertain duration_s analyzed_s speech_s reason"
    heads = "emotion_angry emotion_sad gender gender_score gender_female gender_male f0_mean"
    assert list(TABLE) == f"{first} {heads} {last}".split()
    narrow = columns(TASKS, TASKS[0], OPTIONS, timeline=False, channel=False, wide=False)
    assert list(narrow) == f"{first} {last}".split()
    timeline = list(columns(TASKS, TASKS[0], OutputOptions(), timeline=True, channel=True))
    assert timeline[:7] == ["file", "start_s", "end_s", "channel", "emotion", "emotion_score", "error"]
    assert timeline[-2:] == ["duration_s", "speech_s"]
    assert "channel" not in columns(TASKS, TASKS[0], OutputOptions(), timeline=True, channel=False)


def test_every_row_has_its_place_in_the_columns():
    for row in ROWS:
        assert flatten(row).keys() <= TABLE.keys()


def test_json_lines_give_back_every_row(tmp_path):
    ROW_FORMATS[".jsonl"](ROWS, tmp_path / "rows.jsonl", TABLE)
    written = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")  # strictly
    assert [json.loads(line) for line in written.splitlines()] == ROWS
    assert "گفتار" in written


@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize(("ending", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_a_flat_table_gives_back_every_cell(tmp_path, monkeypatch, ending, read, at_once):
    monkeypatch.setattr(inference.table_writers, "_ROWS_AT_ONCE", at_once)
    ROW_FORMATS[ending](iter(ROWS), tmp_path / f"rows{ending}", TABLE)
    table = read(tmp_path / f"rows{ending}")
    assert list(table.columns) == list(TABLE)
    assert list(table["file"]) == [ROWS[0]["file"], "caf\\udce9.wav", "b.wav"]
    assert list(table["emotion"].fillna("")) == ["sad", "", "sad"]
    assert list(table["emotion_angry"].fillna(-1)) == [0.25, -1, 0.25]
    assert list(table["uncertain"].astype("object").where(table["uncertain"].notna(), None)) == [True, None, False]
    assert list(table["error"].fillna("")) == ["", "no sound", ""]


def test_parquet_has_the_same_types_where_every_file_failed(tmp_path):
    for name, rows in (("good", ROWS), ("bad", ROWS[1:2])):
        ROW_FORMATS[".parquet"](rows, tmp_path / name, TABLE)
    assert pq.read_schema(tmp_path / "good") == pq.read_schema(tmp_path / "bad")


@pytest.mark.parametrize(("ending", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_an_unknown_length_is_an_empty_cell(tmp_path, ending, read):
    rows = [{**ROWS[0], "duration_s": None}, ROWS[2]]
    ROW_FORMATS[ending](rows, tmp_path / f"rows{ending}", TABLE)
    lengths = read(tmp_path / f"rows{ending}")["duration_s"]
    assert lengths.isna().tolist() == [True, False]
    assert lengths[1] == 1.0
    if ending == ".csv":
        assert "None" not in (tmp_path / "rows.csv").read_text(encoding="utf-8", errors="replace")
