import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.tables.delimited import read_delimited

HEADER = ["path", "sentence", "mood"]


def cells(text: str, delimiter: str | None = None) -> list[list[str]]:
    return [record.cells for record in read_delimited(text, delimiter).records]


def tsv(*rows: list[str]) -> str:
    return "".join("\t".join(row) + "\n" for row in [HEADER, *rows])


def test_a_sentence_that_begins_with_a_quotation_mark_keeps_all_rows():
    """As in the tables of Common Voice, where one sentence opens a quotation and another closes one."""
    sentences = ['"Yes, she said.', "No.", 'And left."', '"Quoted whole"', 'He said "no" twice', "", '"', "last"]
    rows = [[f"{index}.mp3", sentence, "sad"] for index, sentence in enumerate(sentences)]
    found = read_delimited(tsv(*rows), "\t")
    assert [record.cells for record in found.records] == [HEADER, *rows]
    assert not found.quoted


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_a_writer_quoted_comes_back(quoting, delimiter):
    rows = [
        HEADER,
        ["a.wav", '"Yes", she said', "sad"],
        ["b.wav", 'two\nlines, a\ttab; "x"', ""],
        ["c.wav", "plain", "x"],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(rows)
    assert cells(text.getvalue(), delimiter) == rows


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r."), max_size=12), min_size=3, max_size=3)
    ),
    st.sampled_from([",", ";"]),
)
def test_any_csv_comes_back(rows, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([HEADER, *rows])
    assert cells(text.getvalue(), delimiter) == [HEADER, *rows]


@given(st.lists(st.lists(st.text('ab" .', min_size=1, max_size=8), min_size=3, max_size=3), max_size=8))
def test_any_tsv_has_a_row_per_line(rows):
    assert len(cells(tsv(*rows), "\t")) == 1 + len(rows)


@pytest.mark.parametrize(
    "text",
    [
        'path,sentence\na.wav,"Yes she said\nb.wav,no\nc.wav,and left"\n',
        'path,sentence,mood\na.wav,"Yes, she said,sad\nb.wav,no,sad\nc.wav,and left",sad\n',
        'sentence,path\n"Yes she said,a.wav\nand left",b.wav\n',
        'path,sentence\na.wav,"Yes she said\nb.wav,no\n',
        'path,sentence\na.wav,"Yes" she said\nb.wav,no\n',
    ],
)
def test_a_mark_that_a_csv_does_not_close_is_an_error(text):
    with pytest.raises(ValueError, match="row 1"):
        read_delimited(text, ",")


@pytest.mark.parametrize(("line", "count"), [("b.wav\tno", 2), ("b.wav\tno\tsad\tx", 4)])
def test_a_row_of_another_length_is_named(line, count):
    with pytest.raises(ValueError, match=f"row 2 has {count} cells"):
        read_delimited(tsv(["a.wav", '"Yes', "sad"]) + line + "\n" + 'c.wav\tno"\tsad\n', "\t")


@pytest.mark.parametrize(
    ("header", "delimiter"), [("a|b,c", "|"), ("a\tb;c", "\t"), ("a;b,c", ";"), ("a,b", ","), ("a", ",")]
)
def test_the_header_gives_the_delimiter(header, delimiter):
    assert read_delimited(header + "\n").delimiter == delimiter


def test_line_ends_of_any_system_end_a_row():
    for end in ("\n", "\r\n", "\r"):
        assert cells(end.join(["a,b", "1,2", "", "3,4", ""])) == [["a", "b"], ["1", "2"], ["3", "4"]]
    assert cells("a\tb\n1\tx\u2028y\x85z\n") == [["a", "b"], ["1", "x\u2028y\x85z"]]  # which end no line of a table


def test_nothing_is_a_table_without_records():
    assert cells("") == []
