import json
import runpy
import subprocess
import sys

import pandas as pd
import pytest
import soundfile

from tests.conftest import ROOT, voice


@pytest.fixture
def start(monkeypatch):
    """Runs the module in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["filter", *map(str, arguments)])
        runpy.run_module("inference.curation", run_name="__main__")

    return run


def test_the_command_writes_what_is_kept_and_prints_the_counts(start, checkpoint, tmp_path, capsys):
    for name, f0 in (("a", 100), ("b", 240)):
        soundfile.write(tmp_path / f"{name}.wav", voice(0.6, f0), 16_000)
    (tmp_path / "m.csv").write_text("path,sex\na.wav,w\nb.wav,m\n")
    keep = ["--keep", "80 <= measured_f0_mean <= 120", "gender in ['w', 'm']"]
    settings = ["--label_map", "w=female", "m=male", "--num_proc", "1", "--no_vad", "--precision", "bfloat16"]
    start(tmp_path / "m.csv", "--model", checkpoint, "--output", tmp_path / "kept.csv", *keep, *settings)
    printed = capsys.readouterr().out
    assert printed.startswith("2 rows: 1 kept, 1 rejected\n")
    assert "       1            1  80 <= measured_f0_mean <= 120\n" in printed
    assert pd.read_csv(tmp_path / "kept.csv")["path"].tolist() == ["a.wav"]
    assert pd.read_csv(tmp_path / "kept.rejected.csv")["path"].tolist() == ["b.wav"]
    assert json.loads((tmp_path / "kept.report.json").read_text())["precision"] == "bfloat16"


def test_a_mistake_is_reported_in_one_line(start, checkpoint, tmp_path):
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    (tmp_path / "a.wav").touch()
    with pytest.raises(SystemExit) as end:
        start(tmp_path / "m.csv", "--model", checkpoint, "--output", tmp_path / "k.csv", "--keep", "mood == 'joy'")
    assert end.value.code.startswith("inference.curation: ")
    assert "mood == 'joy'" in end.value.code
    assert "column 'mood'" in end.value.code
    assert "\n" not in end.value.code


def test_a_label_map_has_pairs(start, capsys):
    with pytest.raises(SystemExit):
        start("m.csv", "--model", "x", "--output", "k.csv", "--keep", "x", "--label_map", "F")
    assert "expected A=B, got 'F'" in capsys.readouterr().err


def test_help_shows_every_form_and_loads_nothing():
    code = "import sys, runpy; sys.argv = ['filter', '--help']; sys.modules['torch'] = sys.modules['numpy'] = None; "
    code += "runpy.run_module('inference.curation', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "measured_f0_mean_zscore_by_speaker <= 3" in done.stdout
