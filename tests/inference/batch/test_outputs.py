import pytest

from inference.batch.outputs import check_output
from inference.timeline.formats import EXPORTS


def test_an_output_is_refused_before_any_work(tmp_path):
    for name in ("rows.jsonl", "rows.csv", "rows.parquet"):
        check_output(tmp_path / name, files=5, timeline=False)
        check_output(tmp_path / name, files=5, timeline=True)
    for name in EXPORTS:
        check_output(tmp_path / f"film.{name}", files=1, timeline=True)
    with pytest.raises(ValueError, match=r"rows\.xlsx: .*\.jsonl, \.csv, \.parquet"):
        check_output(tmp_path / "rows.xlsx", files=5, timeline=False)
    with pytest.raises(ValueError, match=r"rows\.xlsx: .*\.srt"):
        check_output(tmp_path / "rows.xlsx", files=1, timeline=True)
    with pytest.raises(ValueError, match=r"film\.srt: .*--timeline"):
        check_output(tmp_path / "film.srt", files=1, timeline=False)
    with pytest.raises(ValueError, match=r"film\.srt.* 5\b"):
        check_output(tmp_path / "film.srt", files=5, timeline=True)
    (tmp_path / "rows.csv").touch()
    with pytest.raises(ValueError, match=r"rows\.csv .*--overwrite"):
        check_output(tmp_path / "rows.csv", files=5, timeline=False)
    with pytest.raises(ValueError, match=r"film\.srt"):
        check_output(tmp_path / "rows.csv" / "film.srt", files=1, timeline=True)
    check_output(tmp_path / "rows.csv", files=5, timeline=False, overwrite=True)
