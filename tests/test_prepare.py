"""prepare.py as it is started."""

import json
import runpy
import sys

import pytest
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.prepared.load import load_prepared
from tests.conftest import ROOT, voice


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts prepare.py on two folders of own audio, `calls` and `film`."""
    for name in ("calls/happy", "film/sad"):
        (tmp_path / name).mkdir(parents=True)
        soundfile.write(tmp_path / name / "a.wav", voice(0.6, 150), SAMPLING_RATE)

    def run(*arguments):
        folders = [f"folder={tmp_path / name}" for name in ("calls", "film")]
        arguments = ["--corpus", *folders, "--output", str(tmp_path / "out"), "--num_proc", "1", *arguments]
        monkeypatch.setattr(sys, "argv", ["prepare.py", *arguments])
        runpy.run_path(str(ROOT / "prepare.py"), run_name="__main__")
        return tmp_path / "out"

    return run


@pytest.mark.parametrize("flag", ["--locale", "--style", "--license"])
def test_one_value_for_two_own_corpora_is_refused_before_any_work(start, tmp_path, flag):
    with pytest.raises(SystemExit, match=rf"{flag}.*calls=acted film=acted"):
        start(flag, "acted")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_each_own_corpus_has_its_locale_and_its_license(start):
    output = start("--locale", "calls=en-US", "film=de-DE", "--license", "calls=CC BY 4.0")
    rows = {row["corpus"]: row for split in load_prepared(output, "paper").values() for row in split}
    assert {name: row["locale"] for name, row in rows.items()} == {"calls": "en-US", "film": "de-DE"}
    licenses = json.loads((output / "report.json").read_text(encoding="utf-8"))["settings"]["licenses"]
    assert (licenses["calls"]["license"], licenses["film"]) == ("CC BY 4.0", None)
