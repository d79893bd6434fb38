import json
import os

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from common.files import atomic_write, check_writable, save_figure, write_json


def test_json_is_written_completely_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "folder" / "report.json"
    write_json(path, {"größe": [1, None]})
    for value in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)):
            write_json(path, {"broken": value})
    assert json.loads(path.read_text(encoding="utf-8")) == {"größe": [1, None]}
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_a_file_that_is_not_written_to_its_end_is_not_there(tmp_path):
    def fails(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomic_write(tmp_path / "rows.csv", fails)
    assert not (tmp_path / "rows.csv").exists()
    atomic_write(tmp_path / "rows.csv", lambda path: path.write_text("whole"))
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_figure_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "figures" / "one.png"
    save_figure(Figure(figsize=(2, 1)), path)
    assert imread(path).shape[:2] == (144, 264)  # at 120 dots an inch, with a tenth of an inch around
    before = path.read_bytes()

    def fails(self, unfinished, **_):
        unfinished.write_bytes(before[:99])
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fails)
    with pytest.raises(OSError, match="disk full"):
        save_figure(Figure(), path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_created_is_refused(tmp_path, monkeypatch):
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"folder .*file"):
        check_writable(tmp_path / "file" / "folder")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="new"):
        check_writable(tmp_path / "new")
