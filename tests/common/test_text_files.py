import pytest

from common.text_files import read_encoded, read_text, shorten

TEXT = "path\tsentence\r\na.wav\tĄ é\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_its_line_ends(tmp_path, encoding):
    (tmp_path / "t.tsv").write_bytes(TEXT.encode(encoding))
    assert read_encoded(tmp_path / "t.tsv") == (TEXT, encoding)


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\xff\xfe"])
def test_both_orders_of_utf_16_are_read(tmp_path, mark):
    order = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}[mark]
    (tmp_path / "t.tsv").write_bytes(mark + TEXT.encode(order))
    assert read_text(tmp_path / "t.tsv") == TEXT


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le"])
def test_another_encoding_is_an_error_that_names_the_file_and_the_line(tmp_path, encoding):
    (tmp_path / "t.tsv").write_bytes("path\na.wav\té".encode(encoding))
    with pytest.raises(ValueError, match=r"t\.tsv, line \d: .*UTF-8") as caught:
        read_text(tmp_path / "t.tsv")
    assert not isinstance(caught.value, UnicodeError)


def test_a_message_shows_little_of_a_large_value():
    assert shorten("short") == "'short'"
    assert (shorten(7), shorten(None)) == ("7", "None")
    for value in ("x" * 500_000, b"x" * 500_000, {"bytes": b"x" * 500_000}, ["x"] * 500_000):
        assert len(shorten(value)) < 100


def test_stray_bytes_are_replaced_where_that_is_asked_for(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\x92b")
    assert read_text(tmp_path / "a.txt", errors="replace") == "a\ufffdb"
