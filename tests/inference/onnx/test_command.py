import json
import re
import subprocess
import sys

import pytest

from inference.onnx import export as onnx_folder
from inference.onnx.__main__ import format_parity, main
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def run(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["inference.onnx", *arguments])
    main()


def test_the_command_writes_the_folder_and_prints_the_comparison(checkpoint, exported, tmp_path, monkeypatch, capsys):
    graph = (exported / "model.onnx").read_bytes()
    monkeypatch.setattr(onnx_folder, "write_float32", lambda model, file: file.write_bytes(graph))
    run(monkeypatch, str(checkpoint), "--output", str(tmp_path / "deep" / "onnx"), "--precision", "int8")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "deep" / "onnx")
    assert lines[1].split() == ["torch", "float32", "int8"]
    assert any(line.startswith("clips/s by 8") for line in lines)
    parity = json.loads((tmp_path / "deep" / "onnx" / "parity.json").read_text(encoding="utf-8"))
    assert parity["megabytes"].keys() == {"float32", "int8"}
    assert parity["checkpoint"] == str(checkpoint)


def test_the_comparison_is_readable(parity):
    text = format_parity(parity)
    assert "16 synthetic clips" in text
    assert "2 recordings" in text
    assert re.search(rf"\b1 .*{re.escape(parity['recordings']['unreadable'][0])}", text)
    assert "1 of 3 groups" in text
    assert "wav2vec2.encoder.layers.0: " in text
    rows = [line.split() for line in text.splitlines()]
    emotion, _ = [row for row in rows if row[:1] == ["emotion"]]
    assert len(emotion) == 1 + 2 * 3  # difference and agreement of each precision
    assert emotion[2] == "100.00%"
    assert [len(row) for row in rows if row[:1] == ["f0_mean"]] == [1 + 3] * 2


def test_an_error_ends_the_command_with_its_message(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"^inference\.onnx: "):
        run(monkeypatch, str(tmp_path), "--output", str(tmp_path / "onnx"))


def test_an_impossible_export_is_refused_before_anything_is_loaded(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "inference.onnx.export", None)  # to import it now fails
    with pytest.raises(SystemExit, match=r"^inference\.onnx: .*none"):
        run(monkeypatch, str(tmp_path / "none"), "--output", str(tmp_path / "onnx"))
    (tmp_path / "mine.txt").touch()
    with pytest.raises(SystemExit, match=r"^inference\.onnx: .*--overwrite"):
        run(monkeypatch, str(checkpoint), "--output", str(tmp_path))


def test_help_is_instant():
    command = [sys.executable, "-X", "importtime", "-m", "inference.onnx", "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--precision" in result.stdout
    assert " torch\n" not in result.stderr
