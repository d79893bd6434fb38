import errno
import os
import re

import pytest

from inference.batch.find_files import find_files, read_list


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("calls/b.wav", "calls/A.MP3", "calls/notes.txt", "calls/day 2/c.mkv", "calls/.hidden.wav", "one.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_gives_its_audio_files_and_counts_the_others(folder):
    found = find_files(["one.wav", "calls"])
    assert found.files == ("one.wav", "calls/A.MP3", "calls/b.wav", "calls/day 2/c.mkv")
    (note,) = found.notes
    assert note.startswith("1 file ")


def test_a_folder_gives_all_that_the_decoder_opens(folder):
    names = [f"calls/x{ending}" for ending in (".amr", ".caf", ".flv", ".m4b", ".ts", ".tta", ".wmv", ".WV")]
    for name in names:
        (folder / name).touch()
    assert set(names) <= set(find_files(["calls"]).files)


def test_what_is_named_twice_is_taken_once_where_it_came_first(folder):
    found = find_files(["calls/b.wav", str(folder / "calls"), "./one.wav", "one.wav", "calls/day 2/../b.wav"])
    assert found.files == ("calls/b.wav", f"{folder}/calls/A.MP3", f"{folder}/calls/day 2/c.mkv", "./one.wav")
    assert any(note.startswith("3 files") for note in found.notes)


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("calls/*.wav", ("calls/b.wav",)),
        ("calls/**/*.[mM]*", ("calls/A.MP3", "calls/day 2/c.mkv")),
        ("{}/calls/**/c.mkv", ("{}/calls/day 2/c.mkv",)),
        ("calls/**", ("calls/A.MP3", "calls/b.wav", "calls/day 2/c.mkv", "calls/notes.txt")),
    ],
)
def test_a_pattern_takes_the_files_that_it_fits(folder, pattern, files):
    assert find_files([pattern.format(folder)]).files == tuple(file.format(folder) for file in files)


def test_a_name_with_the_signs_of_a_pattern_is_a_name_first(folder):
    (folder / "take[1].wav").touch()
    (folder / "take1.wav").touch()
    assert find_files(["take[1].wav"]).files == ("take[1].wav",)


def test_addresses_are_passed_on(folder):
    urls = ("https://example.org/a.wav", "hf://datasets/x/y/b.flac")
    assert find_files([*urls, urls[0]]).files == urls


def test_all_missing_files_are_named_at_once(folder):
    with pytest.raises(ValueError, match=r"a\.wav, \*\.ogg, c\.wav and 1 more\.$"):
        find_files(["one.wav", "a.wav", "*.ogg", "c.wav", "d.wav"])


def test_a_name_that_no_file_can_have_is_missing_too(folder):
    for name in ("x" * 300, f"{'x' * 300}/*.wav", "\0.wav", "one.wav/a.wav"):
        with pytest.raises(ValueError, match=re.escape(name[:50])):
            find_files(["one.wav", name])


def test_a_folder_without_recordings_is_refused(folder):
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty"):
        find_files(["empty"])
    (folder / "list.txt").write_text("\n \n")
    with pytest.raises(ValueError, match=r"list\.txt"):
        read_list(folder / "list.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_is_in_the_encoding_of_its_byte_order_mark(tmp_path, encoding):
    (tmp_path / "list.txt").write_bytes("é.wav\r\nb.wav\r\n".encode(encoding))
    assert read_list(tmp_path / "list.txt") == ["é.wav", "b.wav"]


def test_a_list_has_a_name_per_line_whatever_its_bytes_are(folder):
    name = os.fsdecode(b"caf\xe9 1.wav")
    (folder / name).touch()
    (folder / "list.txt").write_bytes("\ufeffcalls/b.wav\r\n\n".encode() + os.fsencode(name) + b"\ncalls/day 2\n")
    found = find_files(read_list(folder / "list.txt"))
    assert found.files == ("calls/b.wav", name, "calls/day 2/c.mkv")
    with pytest.raises(ValueError, match=rf"nowhere\.txt .*{os.strerror(errno.ENOENT)}"):
        read_list(folder.relative_to(folder) / "nowhere.txt")
