import pytest

from inference.batch.outputs import check_output
from inference.timeline.formats import EXPORTS


def test_an_output_is_refused_before_any_work(tmp_path):
    for name in ("rows.jsonl", "rows.csv", "rows.parquet"):
        check_output(tmp_path / name, files=5, timeline=False)
        check_output(tmp_path / name, files=5, timeline=True)
    for name in EXPORTS:
        check_output(tmp_path / f"film.{name}", files=1, timeline=True)
    with pytest.raises(ValueError, match=r"rows\.xlsx: Rows are written as \.jsonl, \.csv, \.parquet, by the ending"):
        check_output(tmp_path / "rows.xlsx", files=5, timeline=False)
    with pytest.raises(ValueError, match=r"rows\.xlsx: .*; the timeline of one recording also as .*\.srt"):
        check_output(tmp_path / "rows.xlsx", files=1, timeline=True)
    with pytest.raises(ValueError, match=r"film\.srt: .* with --timeline there are more"):
        check_output(tmp_path / "film.srt", files=1, timeline=False)
    with pytest.raises(ValueError, match=r"film\.srt can hold the timeline of one recording, not of 5"):
        check_output(tmp_path / "film.srt", files=5, timeline=True)
    (tmp_path / "rows.csv").touch()
    with pytest.raises(ValueError, match=r"rows\.csv .*--overwrite"):
        check_output(tmp_path / "rows.csv", files=5, timeline=False)
    with pytest.raises(ValueError, match=r"film\.srt cannot be written: "):
        check_output(tmp_path / "rows.csv" / "film.srt", files=1, timeline=True)
    check_output(tmp_path / "rows.csv", files=5, timeline=False, overwrite=True)
