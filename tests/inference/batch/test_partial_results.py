import os

import pytest

from inference.batch.partial_results import PartialResults

SETTINGS = {"model": "abc", "top_k": None, "labels": ("sad",)}


def record(partial, *files):
    return list(partial.append((file, [{"file": file, "n": n} for n in range(2)]) for file in files))


def started(output, process=0):
    partial = PartialResults(output, process)
    partial.open(SETTINGS, ["a", "b"])
    return partial


def test_rows_of_several_processes_come_back_in_the_order_that_is_asked_for(tmp_path):
    first, second = started(tmp_path / "rows.csv"), PartialResults(tmp_path / "rows.csv", 1)
    odd = os.fsdecode(b"caf\xe9\n.wav")
    assert record(first, "c", "a")[1] == [{"file": "a", "n": 0}, {"file": "a", "n": 1}]
    record(second, odd, "d")
    assert first.done() == second.done() == {"a", odd, "c", "d"}
    rows = list(first.rows(["a", odd, "c"]))
    assert [(row["file"], row["n"]) for row in rows] == [(x, n) for x in ("a", odd, "c") for n in range(2)]


def test_a_row_is_on_disk_when_it_is_yielded(tmp_path):
    partial = started(tmp_path / "rows.csv")
    for rows in partial.append([("a", [{"file": "a"}]), ("b", [])]):
        assert partial.done() == ({"a"} if rows else {"a", "b"})


@pytest.mark.parametrize("kept", [1, 10, 30])
def test_a_torn_line_is_skipped_and_the_next_one_is_whole(tmp_path, kept):
    partial = started(tmp_path / "rows.csv")
    record(partial, "a", "b")
    path = partial.folder / "rows-0.jsonl"
    line = path.read_bytes().splitlines(keepends=True)[1]
    path.write_bytes(path.read_bytes()[: -len(line) + kept])
    assert partial.done() == {"a"}
    record(partial, "b", "c")
    assert partial.done() == {"a", "b", "c"}
    assert [row["file"] for row in partial.rows(["a", "b", "c"])] == [*"aabbcc"]
    assert path.read_bytes().count(b"\n") == 3


def test_another_run_on_the_same_output_is_refused(tmp_path):
    partial = started(tmp_path / "rows.csv")
    with pytest.raises(ValueError, match=r"rows\.csv"):
        PartialResults(tmp_path / "rows.csv").open(SETTINGS, [])
    record(partial, "a")
    assert partial.done() == {"a"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_run_is_refused_while_one_replaces_an_output(tmp_path, overwrite):
    output = tmp_path / "rows.csv"
    output.write_text("mine")
    first = PartialResults(output, overwrite=True)
    first.open(SETTINGS, ["a", "b"])
    with pytest.raises(ValueError, match=r"rows\.csv"):
        PartialResults(output, overwrite=overwrite).open(SETTINGS, ["a", "b"])
    record(first, "a")
    first.close()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_check_leaves_the_lock_of_a_run_that_has_no_settings_yet(tmp_path, monkeypatch):
    output = tmp_path / "rows.csv"
    output.write_text("mine")
    first, second = (PartialResults(output, overwrite=True) for _ in range(2))

    def check_and_accept(*_):
        second.check_unfinished()
        with pytest.raises(ValueError, match=r"rows\.csv"):
            second.open(SETTINGS, [])

    monkeypatch.setattr(first, "_accept_settings", check_and_accept)
    first.open(SETTINGS, [])


def test_remains_without_an_output_are_not_resumed(tmp_path):
    partial = started(tmp_path / "rows.csv")
    record(partial, "a")
    partial._settings.rename(partial._finished)
    del partial
    assert started(tmp_path / "rows.csv").done() == set()


def test_other_settings_are_refused_and_named(tmp_path):
    started(tmp_path / "rows.csv")  # which lets go of the lock as it ends
    with pytest.raises(ValueError, match=r"labels \['sad'\].*\[\].* model abc.* def"):
        PartialResults(tmp_path / "rows.csv").open({**SETTINGS, "model": "def", "labels": ()}, [])
    started(tmp_path / "rows.csv")


@pytest.mark.parametrize(("theirs", "mine"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_another_precision_is_refused_with_the_flag_that_resumes(tmp_path, theirs, mine):
    first = PartialResults(tmp_path / "rows.csv")
    first.open({"precision": theirs}, [])
    first._lock.release()
    with pytest.raises(ValueError, match=f"precision {theirs}, not {mine}.*--precision {theirs}"):
        PartialResults(tmp_path / "rows.csv").open({"precision": mine}, [])


def test_an_output_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "rows.csv").write_text("mine")
    with pytest.raises(ValueError, match=r"rows\.csv .*--overwrite"):
        started(tmp_path / "rows.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_finished_run_leaves_nothing_behind(tmp_path):
    partial = started(tmp_path / "deep" / "rows.csv")
    record(partial, "a")
    partial.close()
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_run_that_was_killed_after_it_wrote_its_output_finishes(tmp_path):
    output = tmp_path / "rows.csv"
    record(started(output), "a", "b")
    output.write_text("whole")
    PartialResults(output).check_unfinished()  # it is not finished
    started(output).close()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_an_output_that_the_run_cannot_have_written_is_left_alone(tmp_path):
    output = tmp_path / "rows.csv"
    record(started(output), "a")
    output.write_text("mine")
    with pytest.raises(ValueError, match=r"rows\.csv .*--overwrite"):
        started(output)
    assert output.read_text() == "mine"
    assert PartialResults(output).done() == {"a"}


def test_remains_of_a_run_that_was_killed_as_it_ended_are_removed(tmp_path):
    output = tmp_path / "rows.csv"
    record(started(output), "a")
    output.write_text("whole")
    folder = tmp_path / "rows.csv.partial"
    (folder / "settings.json").rename(folder / "finished.json")  # the first step
    with pytest.raises(ValueError, match=r"rows\.csv .*--overwrite"):
        PartialResults(output).check_unfinished()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


DAMAGE = {
    "zeros": b"\0\0\0\0\n",
    "zeros before a line": b'\0\0\0\0{"file": "z", "rows": []}\n',
    "no UTF-8": b'{"file": "\xff", "rows": []}\n',
    "half a line": b'{"file": "b", "ro\n',
    "a blank line": b"\n",
    "another form": b'["b", []]\n',
    "another name": b'{"path": "b", "rows": []}\n',
    "another kind of rows": b'{"file": "b", "rows": {"file": "b"}}\n',
    "rows of the wrong type": b'{"file": "b", "rows": ["b"]}\n',
    "depth": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_line_is_reported_and_its_file_is_processed_again(tmp_path, capsys, kind, place):
    partial = started(tmp_path / "rows.csv")
    record(partial, "a", "b")
    path = partial.folder / "rows-0.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[place:2] = [DAMAGE[kind], *lines[place + 1 :]]
    path.write_bytes(b"".join(lines))
    del partial
    again = started(tmp_path / "rows.csv")
    left = {"a", "b"} - ({"a", "b"} if place > 1 else {"ab"[place]})
    assert again.done() == ({"a", "b"} if place > 1 else left)
    assert f"{path.parent}: 1 line " in capsys.readouterr().err
    record(again, *({"a", "b"} - again.done()))
    assert [row["file"] for row in again.rows(["a", "b"])] == [*"aabb"]


def test_zeros_at_the_end_are_skipped(tmp_path):
    partial = started(tmp_path / "rows.csv")
    record(partial, "a")
    with (partial.folder / "rows-0.jsonl").open("ab") as file:
        file.write(b"\0" * 4)
    record(partial, "b")
    assert partial.done() == {"a", "b"}


@pytest.mark.parametrize("content", ['{"mine": 1}', "mine", "{}", ""])
@pytest.mark.parametrize("name", ["mine.txt", "settings.json", "finished.json", "rows-0.jsonl"])
@pytest.mark.parametrize("finished", [False, True])
def test_a_folder_of_someone_else_is_left_alone(tmp_path, name, finished, content):
    folder = tmp_path / "rows.csv.partial"
    folder.mkdir()
    (folder / name).write_text(content)
    if finished:
        (tmp_path / "rows.csv").write_text("whole")
    with pytest.raises(ValueError, match=r"rows\.csv"):
        started(tmp_path / "rows.csv")
    assert (folder / name).read_text() == content


def test_with_overwrite_an_output_and_a_run_with_other_settings_are_discarded(tmp_path):
    output = tmp_path / "rows.csv"
    record(started(output), "a")
    output.write_text("mine")
    partial = PartialResults(output, overwrite=True)
    partial.open({**SETTINGS, "model": "def"}, ["a"])
    assert partial.done() == set()
    assert output.read_text() == "mine"
    record(partial, "a")
    (partial.folder / "mine.txt").write_text("mine")
    partial.close()
    assert [path.name for path in partial.folder.iterdir()] == ["mine.txt"]
