import pytest

from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.parts import FORMAT
from preprocessing.prepared.table import load_report, load_table


def test_the_table_has_every_kept_clip_once(prepared):
    table = load_table(prepared)
    assert table["row"][:] == list(range(96))
    assert {*table["id"]} == {id_ for clips in load_prepared(prepared, "paper").values() for id_ in clips["id"]}


@pytest.mark.parametrize("content", ["{", "[]", '{"models": []}', f'{{"format": {FORMAT}, "parts": ["../elsewhere"]}}'])
def test_a_report_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ValueError, match=r"report\.json"):
        load_report(tmp_path)
