import pytest

from common.text_tables import MISSING, format_table

ROWS = [("emodb", "535"), ("esd_en", "17,500"), ("a table", None)]


def test_columns_are_aligned_as_asked():
    header, first, second, _ = format_table(ROWS, ("corpus", "clips"), "lr").splitlines()
    assert {len(header), len(first), len(second)} == {len(header)}
    assert first.startswith("emodb ")
    assert first.endswith(" 535")


def test_a_missing_value_is_shown_as_a_dash():
    assert format_table(ROWS, ("corpus", "clips"), "lr").splitlines()[-1].split() == ["a", "table", MISSING]


@pytest.mark.parametrize("cell", ["1e5", "007", "0.10", "1,000", "-0", "nan"])
def test_cells_are_shown_as_they_are(cell):
    assert format_table([(cell,)], ("value",), "r").splitlines()[1].strip() == cell


def test_a_table_without_rows_has_its_headers():
    assert format_table([], ("corpus", "clips"), "lr").split() == ["corpus", "clips"]


def test_no_line_ends_in_blanks():
    assert all(line == line.rstrip() for line in format_table(ROWS, ("corpus", "note"), "ll").splitlines())


def test_markdown():
    header, rule, row = format_table(ROWS[:1], ("corpus", "clips"), "lr", style="github").splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == ["corpus", "clips"]
    assert set(rule) <= set("|-: ")
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["emodb", "535"]


@pytest.mark.parametrize(("rows", "align"), [([("emodb",)], "lr"), ([("emodb", "535")], "l")])
def test_a_row_or_alignment_of_another_length_is_refused(rows, align):
    with pytest.raises(ValueError, match="2"):
        format_table(rows, ("corpus", "clips"), align)
