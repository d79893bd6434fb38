"""The files of `bad_audio`, through everything that takes recordings: each is a row, or is counted with a reason.

A twentieth of them are read here, all of them by `make stress`.
"""

import contextlib
import faulthandler
import json
import math
import os
import re
import runpy
import sys
from pathlib import Path

import psutil
import pytest

from common.checkpoint import load_checkpoint
from common.text_files import escape_surrogates
from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions
from inference.web.service import Limits, Service
from modeling import AudioError, AudioReader, OutputOptions, SpeechEmotionPipeline
from tests.conftest import ROOT
from tests.support.bad_audio import write_bad_audio
from tests.support.documents import numbers

pytestmark = pytest.mark.slow

HANGS_S = 600  # every test takes seconds


@pytest.fixture(autouse=True)
def _in_time():
    faulthandler.dump_traceback_later(HANGS_S, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="module", params=[20, pytest.param(1, marks=pytest.mark.stress)], ids=["some", "all"])
def bad(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad") / "happy"
    write_bad_audio(folder, every=request.param)
    return folder


def files_of(folder: Path) -> list[str]:
    """Links to folders are not files, and are all loops."""
    return sorted(str(Path(above, name)) for above, _, names in os.walk(folder) for name in names)


def run(monkeypatch, capsys, script: str, *arguments) -> tuple[str, str, str | None]:
    """What a script prints to stdout and to stderr, and the message that it exits with."""
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    end = None
    try:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    except SystemExit as ended:
        end = ended.code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return printed.out, printed.err, end


def test_preparing_keeps_each_or_reports_why_not(bad, tmp_path, monkeypatch, capsys):
    arguments = ("--corpus", f"folder={bad.parent}", "--output", tmp_path, "--num_proc", 2)
    printed, _, end = run(monkeypatch, capsys, "prepare.py", *arguments)
    assert end is None
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert len(report["files"]) == len(files_of(bad))
    assert all(file["kept"] or file["reason"] for file in report["files"])
    (corpus,) = report["corpora"].values()
    assert corpus["kept"] + sum(corpus["skipped"].values()) == len(report["files"])
    lines = [line.split() for line in printed.splitlines()]
    for reason, count in corpus["skipped"].items():
        assert [bad.parent.name, f"{count:,}", "skipped:", *reason.split()] in lines


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_predicting_gives_each_a_row(bad, checkpoint, tmp_path, monkeypatch, capsys, ending):
    output = tmp_path / f"rows.{ending}"
    _, noted, end = run(monkeypatch, capsys, "predict.py", bad, "--model", checkpoint, "--no_vad", "--output", output)
    assert noted.startswith("1 file ")
    files = [file for file in files_of(bad) if not file.endswith("notes.txt")]
    if ending == "jsonl":
        rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
        assert sorted(row["file"] for row in rows) == files
        assert all(("emotion" in row) != bool(row.get("error")) for row in rows)
        assert numbers(end) == [sum("error" in row for row in rows), len(files)]
    else:
        import pandas as pd

        table = pd.read_csv(output) if ending == "csv" else pd.read_parquet(output)
        assert len(table) == len(files)
        assert (table["emotion"].isna() != table["error"].isna()).all()


def test_the_pipeline_predicts_or_raises_documented_errors(bad, checkpoint):
    model, feature_extractor = load_checkpoint(checkpoint)
    recognize = SpeechEmotionPipeline(model, feature_extractor=feature_extractor, vad=False)
    predicted = 0
    for file in files_of(bad):
        with contextlib.suppress(AudioError, OSError):
            prediction = recognize(file)
            assert math.isfinite(sum(entry["score"] for entry in prediction["emotion"]))
            predicted += 1
    assert 0 < predicted < len(files_of(bad))


def test_the_page_shows_each_or_reports_what_is_wrong(bad, checkpoint):
    service = Service(load_predictor(str(checkpoint)), Limits())
    files = [Path(file) for file in files_of(bad)]
    predicted = []
    for file in files:
        html, values = service.recognize(file, OutputOptions(), TimelineOptions(), lambda share: None)
        predicted.append("error" not in values)
        assert "segments" in values or values["error"]
        assert bool(re.search(r'class="note[ "]', html)) == ("error" in values), file
        _can_be_sent(html, values)
    for first in range(0, len(files), 100):
        html, rows = service.predict_several(files[first : first + 100], OutputOptions(), lambda share: None)
        assert [row["file"] for row in rows] == [escape_surrogates(file.name) for file in files[first : first + 100]]
        assert all(("emotion" in row) != bool(row.get("error")) for row in rows)
        _can_be_sent(html, rows)
    assert 0 < sum(predicted) < len(files)


def _can_be_sent(html, values):
    html.encode()
    json.dumps(values, allow_nan=False, ensure_ascii=False).encode()


def test_reading_them_again_and_again_takes_no_more_memory(bad):
    process, sizes = psutil.Process(), []
    for _ in range(7):
        for file in files_of(bad):
            with contextlib.suppress(AudioError, OSError), AudioReader(file) as audio:
                audio.read(0.0, 6.0)
        sizes.append(process.memory_info().rss)
    _, *sizes = sizes  # the first round fills caches, and a round may leave 50 MB that the next one takes
    assert min(sizes[3:]) - min(sizes[:3]) < 30e6


def test_a_timeline_is_made_of_each_that_can_be_decoded_to_its_end(bad, checkpoint, tmp_path, monkeypatch, capsys):
    (bad / "terabyte_of_zeros.w64.wav").unlink()  # a year of silence is a year of silence
    arguments = (bad, "--model", checkpoint, "--timeline", "--channels", "each", "--output", tmp_path / "rows.jsonl")
    _, _, end = run(monkeypatch, capsys, "predict.py", *arguments)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [file for file in files_of(bad) if not file.endswith("notes.txt")]
    assert sorted({row["file"] for row in rows}) == files
    assert all(("duration_s" in row) != bool(row.get("error")) for row in rows)
    assert numbers(end) == [sum("error" in row for row in rows), len(files)]
