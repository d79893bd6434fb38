import pytest

from preprocessing.tables.read import read_json_lines, read_table_file


def test_a_table_is_its_columns(tmp_path):
    (tmp_path / "t.csv").write_text("\ufeff path ,n\na.wav,1\n", encoding="utf-8")
    table = read_table_file(tmp_path / "t.csv")
    assert table.columns == ["path", "n"]
    assert list(table.cells("n")) == ["1"]
    assert not table.holds_audio("n")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_an_empty_file_is_a_table_without_columns(tmp_path, suffix):
    (tmp_path / f"t{suffix}").touch()
    assert list(read_table_file(tmp_path / f"t{suffix}").columns) == []


def test_a_cell_that_a_json_object_lacks_is_empty(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n\n{"b": "x\u2028y"}\n', encoding="utf-8")
    table = read_table_file(tmp_path / "t.jsonl")
    assert [list(table.cells(name)) for name in "ab"] == [["1", None], [None, "x\u2028y"]]


def test_json_numbers_keep_their_digits_where_they_are_wanted_as_written():
    text = '{"a": 812345678901234567, "b": 1.10, "c": -0, "d": NaN}'
    ((_, written),) = read_json_lines(text, as_written=True)
    assert written == {"a": "812345678901234567", "b": "1.10", "c": "-0", "d": None}
    ((line, numbers),) = read_json_lines(text)
    assert (line, numbers["a"], numbers["b"]) == (text, 812345678901234567, 1.1)


@pytest.mark.parametrize("line", ["[1]", '{"a"', "3", '{"a": 1} x'])
def test_a_line_that_is_not_an_object_is_refused(line):
    with pytest.raises(ValueError, match="row 2"):
        list(read_json_lines('{"a": 1}\n\n' + line))
