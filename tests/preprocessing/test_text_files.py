import pytest

from preprocessing.text_files import read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_that_says_its_encoding_is_read(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("naïve, 中立".encode(encoding))
    assert read_text(tmp_path / "a.csv") == "naïve, 中立"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be"])
def test_other_text_is_refused_by_the_name_of_its_file(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("naïve".encode(encoding))
    with pytest.raises(ValueError, match=r"a\.csv.*UTF-8"):
        read_text(tmp_path / "a.csv")


def test_stray_bytes_are_replaced_where_that_is_asked_for(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\x92b")
    assert read_text(tmp_path / "a.txt", errors="replace") == "a\ufffdb"
