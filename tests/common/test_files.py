import json
import os

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from common.files import atomic_write, check_writable, save_figure, write_json
from preprocessing.prepared.report import format_report

REPORT = {
    "corpora": {
        "alpha": {
            "kept": 1200,
            "dropped": {"shorter than 0.5 s": 3},
            "hours": 1.25,
            "mean_duration_s": 3.75,
            "scaled_down": 2,
            "emotion": {"angry": 700, "sad": 500},
        },
        "beta": {"kept": 0, "dropped": {"not an audio file": 7}},
    },
    "settings": {"licenses": {"alpha": {"license": "CC BY 4.0", "homepage": "https://alpha.org"}, "beta": None}},
    "conflicts": [],
    "notes": {"paper": ["alpha: the publisher's partition is kept"], "speaker": []},
}


def test_every_corpus_every_reason_and_every_note_is_a_line():
    header, *lines = format_report(REPORT).splitlines()
    assert header.split() == ["corpus", "clips", "hours", "mean", "s", "emotions"]
    assert lines[0].split() == ["alpha", "1,200", "1.25", "3.75", "angry", "700,", "sad", "500"]
    assert lines[1].split(maxsplit=2) == ["alpha", "3", "dropped: shorter than 0.5 s"]
    assert lines[2].split(maxsplit=2) == ["alpha", "2", "kept at a lower level: louder than 16 bits hold"]
    assert lines[3].split(maxsplit=2) == ["beta", "7", "dropped: not an audio file"]
    assert lines[4] == "license of alpha: CC BY 4.0; https://alpha.org"
    assert lines[5] == "protocol paper: alpha: the publisher's partition is kept"
    assert len(lines) == 6


def test_a_class_that_holds_other_words_of_the_authors_is_broken_down():
    words = {"sad": {"boredom": 300, "sadness": 200}, "angry": {"anger": 700}}
    report = {**REPORT, "corpora": {"alpha": {**REPORT["corpora"]["alpha"], "raw_labels": words}}}
    (line,) = [line for line in format_report(report).splitlines() if "boredom" in line]
    assert all(part in line for part in ("500 sad", "300 'boredom'", "200 'sadness'"))
    assert "anger" not in format_report(report)


def test_a_license_without_a_homepage_is_said_alone():
    licenses = {"licenses": {"alpha": {"license": "CC BY 4.0", "homepage": None}}}
    assert "license of alpha: CC BY 4.0" in format_report({**REPORT, "settings": licenses}).splitlines()


def test_json_is_written_whole_or_not_at_all(tmp_path):
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


def test_a_figure_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
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


def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"folder cannot be written: .*file is a file\."):
        check_writable(tmp_path / "file" / "folder")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="is read-only, or of another user"):
        check_writable(tmp_path / "new")
