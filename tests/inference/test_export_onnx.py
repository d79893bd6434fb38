import json
import runpy
import subprocess
import sys

import pytest

from inference import onnx_folder
from inference.export_onnx import format_parity
from tests.conftest import ROOT


def run(*arguments: str) -> None:
    sys.argv = ["export_onnx.py", *arguments]
    runpy.run_module("inference.export_onnx", run_name="__main__")


@pytest.fixture(autouse=True)
def _argv(monkeypatch):
    monkeypatch.setattr(sys, "argv", sys.argv)


def test_the_command_writes_the_folder_and_prints_the_comparison(checkpoint, exported, tmp_path, monkeypatch, capsys):
    graph = (exported / "model.onnx").read_bytes()
    monkeypatch.setattr(onnx_folder, "write_float32", lambda model, file: file.write_bytes(graph))
    run(str(checkpoint), "--output", str(tmp_path / "deep" / "onnx"), "--precision", "int8")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "deep" / "onnx")
    assert any(line.startswith("  int8 (") and "/s in batches of 8" in line for line in lines)
    parity = json.loads((tmp_path / "deep" / "onnx" / "parity.json").read_text(encoding="utf-8"))
    assert parity["megabytes"].keys() == {"float32", "int8"}
    assert parity["checkpoint"] == str(checkpoint)


def test_the_comparison_is_readable(parity):
    text = format_parity(parity)
    assert "16 synthetic clips" in text
    assert "2 recordings" in text
    assert "1 more could not be read:" in text
    (line,) = [line for line in text.splitlines() if line.strip().startswith("f0_mean max")][:1] or [""]
    assert "same class" not in line


def test_what_goes_wrong_is_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match=r"^export_onnx: .* is not a checkpoint"):
        run(str(tmp_path / "none"), "--output", str(tmp_path / "onnx"))


def test_help_is_instant():
    command = [sys.executable, "-X", "importtime", "-m", "inference.export_onnx", "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--precision" in result.stdout
    assert " torch\n" not in result.stderr
