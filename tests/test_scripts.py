import importlib
import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from transformers import Wav2Vec2Config, Wav2Vec2Model

from tests.conftest import ROOT, TINY
from tests.support.corpora import ravdess
from tests.support.corpus_folders import lay_out
from tests.support.scripts import refusal, start

pytestmark = pytest.mark.slow


def test_evaluate_writes_metrics_and_prints_its_tables(checkpoint, prepared, tmp_path):
    done = start("evaluate.py", checkpoint, "--data", prepared, "--protocol", "paper", "--output", tmp_path / "new")
    report = json.loads((tmp_path / "new" / "metrics.json").read_text(encoding="utf-8"))
    assert (report["checkpoint"], report["protocol"]["protocol"]) == (str(checkpoint), "paper")
    f1 = report["tasks"]["emotion"]["mean_over_corpora"]["weighted_f1"]
    assert f"{f1:.3f}" in next(line for line in done.stdout.splitlines() if line.startswith("mean over corpora"))
    assert str(tmp_path / "new" / "report.md") in done.stdout
    assert f"{f1:.3f} (" in (tmp_path / "new" / "report.md").read_text(encoding="utf-8")


def test_evaluate_writes_metrics_per_checkpoint_and_one_report(checkpoint, prepared, tmp_path, monkeypatch, capsys):
    folders = [tmp_path / "one" / "checkpoint-5", tmp_path / "two" / "checkpoint-5", tmp_path / "three"]
    for folder in folders:
        shutil.copytree(checkpoint, folder)
    arguments = [
        *map(str, folders),
        "--data",
        str(prepared),
        "--split",
        "validation",
        "--protocol",
        "paper",
        "--output",
        str(tmp_path / "out"),
    ]
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *arguments])
    runpy.run_path(str(ROOT / "evaluate.py"), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    first = [line for line in printed if any(line.startswith(f"{folder}: ") for folder in folders)]
    assert [" validation " in line and " paper " in line for line in first] == [True] * 3
    assert len(list((tmp_path / "out").rglob("metrics.json"))) == 3  # none over another of the same name
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert [f"`{folder}`" in report for folder in folders] == [True] * 3


def test_predict_and_evaluate_refuse_a_backbone_in_one_line(prepared, tmp_path, monkeypatch):
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path)
    message = f"{tmp_path} is a 'wav2vec2' checkpoint, not one that train.py wrote."
    assert refusal(monkeypatch, "predict.py", ROOT / "README.md", "--model", tmp_path) == message
    output = tmp_path / "output"
    assert refusal(monkeypatch, "evaluate.py", tmp_path, "--data", prepared, "--output", output) == message
    assert not output.exists()


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        ("ravdess={}/nowhere", "nowhere: "),
        ("ravdes={}", "'ravdes'"),
        ("table={}/list.csv", "'name', 'emotion'"),
        ("emodb={}", "ravdess (30 clips)"),
        ("{}", "NAME=FOLDER"),
    ],
)
def test_prepare_refuses_an_invalid_corpus_in_one_line(tmp_path, monkeypatch, corpus, expected):
    lay_out(tmp_path, list(ravdess.tree())[:30])
    (tmp_path / "list.csv").write_text("name,emotion\na.wav,happy\n")
    output = tmp_path / "output"
    message = refusal(monkeypatch, "prepare.py", "--corpus", corpus.format(tmp_path), "--output", output)
    assert expected in message
    assert not output.exists()


@pytest.mark.parametrize(
    ("script", "arguments", "expected"),
    [
        ("prepare.py", ["--corpus", "table=x.csv"], "--output"),
        ("prepare.py", ["--corpus", "x=y", "--output", "z", "--columns", "path"], "expected A=B, got 'path'"),
        ("prepare.py", ["--corpus", "x=y", "--output", "z", "--style", "sung"], "invalid choice: 'sung'"),
        ("evaluate.py", ["run", "--data", "x", "--output", "y", "--split", "all"], "invalid choice: 'all'"),
        ("predict.py", ["clip.wav", "--top_k", "all"], "invalid int value: 'all'"),
        ("prepare.py", ["--corpus", "x=y", "--output", "z", "--num_proc", "0"], "argument --num_proc"),
        ("prepare.py", ["--corpus", "x=y", "--output", "z", "--max_duration_s", "nan"], "argument --max_duration_s"),
        ("prepare.py", ["--corpus", "x=y", "--output", "z", "--min_duration_s", "nan"], "argument --min_duration_s"),
        ("evaluate.py", ["run", "--data", "x", "--output", "y", "--batch_size", "0"], "argument --batch_size"),
        ("app.py", ["--max_mb", "inf"], "argument --max_mb"),
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(monkeypatch, capsys, script, arguments, expected):
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("usage: ")
    assert expected in printed


def test_evaluate_imported_here_is_the_library():
    evaluate = importlib.import_module("evaluate")
    assert evaluate is sys.modules["evaluate"]
    assert Path(evaluate.__file__).parent.name == "evaluate"
    assert issubclass(evaluate.Metric, evaluate.EvaluationModule)
    assert callable(evaluate.load)


# Without transformers, which the library does not need and which takes ten seconds to import.
SHADOW = """
import sys
sys.modules["transformers"] = None
import importlib, multiprocessing, os
import evaluate
import evaluate.loading
from evaluate import combine

def is_library(module):
    return os.path.basename(os.path.dirname(module.__file__)) == "evaluate" and hasattr(module, "Metric")

assert sys.path[0] == "" and os.path.exists("evaluate.py")
assert is_library(evaluate) and evaluate.load is evaluate.loading.load and evaluate.combine is combine
again = importlib.reload(evaluate)
assert is_library(again) and is_library(importlib.import_module("evaluate")) and callable(again.load)

# A worker of evaluate.py, which runs the script again, as __mp_main__.
sys.modules["__main__"].__file__ = os.path.abspath("evaluate.py")
ask = "[__import__('sys').modules.update(transformers=None), __import__('evaluate').Metric.__module__][1]"
with multiprocessing.get_context("spawn").Pool(1) as pool:
    assert pool.apply_async(eval, (ask,)).get(timeout=60) == "evaluate.module"
print("all is well")
"""


def test_evaluate_imported_in_the_root_is_the_library():
    assert start("-c", SHADOW).stdout == "all is well\n"


@pytest.mark.parametrize("flags", [["-m", "pytest"], ["-P", "-m", "pytest"]], ids=["python -m pytest", "pytest"])
def test_evaluate_imported_by_a_test_is_the_library(tmp_path, monkeypatch, flags):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # saves time
    test = tmp_path / "test_import.py"
    test.write_text(
        "import sys\n"
        "sys.modules['transformers'] = None\n"
        "def test_import():\n"
        f"    assert {os.fspath(ROOT)!r} in sys.path\n"
        "    import evaluate\n"
        "    assert callable(evaluate.load) and evaluate.Metric.__module__ == 'evaluate.module'\n"
    )
    options = ["-c", "pyproject.toml", "--rootdir", ROOT, "-p", "no:cacheprovider", "-q"]
    assert "1 passed" in start(*flags, *options, test).stdout


@pytest.mark.parametrize("console", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=str)
def test_a_console_that_is_not_utf_8_ends_no_evaluation(checkpoint, prepared, tmp_path, monkeypatch, console):
    for name, value in console.items():
        monkeypatch.setenv(name, value)
    done = start("evaluate.py", checkpoint, "--data", prepared, "--protocol", "paper", "--output", tmp_path / "new")
    assert (tmp_path / "new" / "report.md").is_file()
    assert done.stdout.isascii()
