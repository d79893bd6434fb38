import json
import sys

import pytest

from preprocessing.audit.__main__ import main
from preprocessing.audit.run import audit


def run(monkeypatch, *arguments: object) -> str | int | None:
    """The exit code, or the message with which Python exits with 1."""
    monkeypatch.setattr(sys, "argv", ["audit", *map(str, arguments)])
    try:
        main()
    except SystemExit as exit_:
        return exit_.code
    return None


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], None),
        (["--fail_on", "same_sound", "silent"], None),
        (["--fail_on", "silent", "shared_speakers"], "preprocessing.audit: found shared_speakers"),
        (["--fail_on", "any"], "preprocessing.audit: found shared_speakers"),
        (["--fail_on", "noise"], 2),
        (["--protocol", "none"], 2),
    ],
)
def test_the_command_fails_where_it_is_asked_to(leaking, monkeypatch, capsys, options, code):
    assert run(monkeypatch, leaking, "--num_proc", 1, *options) == code
    printed = capsys.readouterr()
    assert "shared_speakers: 1 of 6 speakers" in printed.out or code == 2
    assert "audit:" in printed.err or code != 2


@pytest.mark.slow
def test_the_command_writes_its_report(clean_prepared, tmp_path, monkeypatch, capsys):
    path = tmp_path / "new/audit.json"
    assert run(monkeypatch, clean_prepared, "--num_proc", 1, "--output", path, "--fail_on", "any") is None
    assert json.loads(path.read_text(encoding="utf-8")) == audit(clean_prepared, "paper", num_proc=1)
    assert str(path) in capsys.readouterr().out


def test_a_folder_that_is_not_prepared_is_refused(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, tmp_path) == 2
    assert str(tmp_path) in capsys.readouterr().err
