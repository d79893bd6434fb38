import sys

from preprocessing.demo import __main__ as command


def run(monkeypatch, *arguments: object) -> str | int | None:
    """The exit code, or the message with which Python exits with 1."""
    monkeypatch.setattr(sys, "argv", ["demo", *map(str, arguments)])
    try:
        command.main()
    except SystemExit as exit_:
        return exit_.code
    return None


def test_the_arguments_are_passed_on_and_the_table_is_printed(tmp_path, monkeypatch, capsys):
    calls = []

    def write(*arguments: object):
        calls.append(arguments)
        return tmp_path / "clips.csv"

    monkeypatch.setattr(command, "write_demo_corpus", write)
    assert run(monkeypatch, "--output", tmp_path, "--seed", 3, "--overwrite") is None
    assert calls == [(tmp_path, 3, True)]
    assert str(tmp_path / "clips.csv") in capsys.readouterr().out


def test_files_of_others_are_kept(tmp_path, monkeypatch):
    (tmp_path / "clips.csv").write_text("path,emotion\nmine.wav,sad\n")
    assert str(tmp_path) in run(monkeypatch, "--output", tmp_path)
    assert (tmp_path / "clips.csv").read_text() == "path,emotion\nmine.wav,sad\n"


def test_the_output_is_required(monkeypatch, capsys):
    assert run(monkeypatch) == 2
    assert "--output" in capsys.readouterr().err
