import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import DUPLICATE, prepare
from preprocessing.prepared.load import count_in_no_split, load_prepared
from preprocessing.prepared.report import format_report
from preprocessing.prepared.rows import PreparationConfig
from preprocessing.prepared.table import load_report
from tests.preprocessing.audit.conftest import RATE, speak


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path)


def write_table(tmp_path):
    """Eight voices, c.wav and e.wav copies of b.wav, the latter with another emotion; two silences."""
    (tmp_path / "mine").mkdir()
    names = "abcdefgh"
    for index, name in enumerate(names):
        soundfile.write(tmp_path / f"mine/{name}.wav", speak(index, 150), RATE)
    shutil.copy(tmp_path / "mine/b.wav", tmp_path / "mine/c.wav")
    soundfile.write(tmp_path / "mine/e.wav", 0.3 * soxr.resample(speak(1, 150), RATE, 16000), 16000)
    for name in "yz":
        soundfile.write(tmp_path / f"mine/{name}.wav", np.zeros(RATE), RATE)
    emotions = ["sad" if name == "e" else "angry" for name in names + "yz"]
    rows = pd.DataFrame({"path": [f"{name}.wav" for name in names + "yz"], "emotion": emotions, "gender": "male"})
    rows.to_csv(tmp_path / "mine/table.csv", index=False)
    return tmp_path / "mine/table.csv"


def prepare_table(table, output, skip_duplicates=True):
    return prepare(
        scan([Source("table", table)]), output, PreparationConfig(), num_proc=2, skip_duplicates=skip_duplicates
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The prepared folder of the table, and its report."""
    folder = tmp_path_factory.mktemp("found")
    return folder / "out", prepare_table(write_table(folder), folder / "out")


def kept(folder) -> set[str]:
    return {id_ for clips in load_prepared(folder, "paper").values() for id_ in clips["id"]}


def test_duplicates_are_skipped_and_the_reason_names_the_clip_that_is_kept(found):
    folder, report = found
    reasons = {file["id"]: file["reason"] for file in report["files"] if not file["kept"]}
    assert {id_: reason.split()[-1] for id_, reason in reasons.items()} == dict.fromkeys(
        ("mine/c.wav", "mine/e.wav"), "mine/b.wav"
    )
    assert report["duplicates"] == {"mine/c.wav": "mine/b.wav", "mine/e.wav": "mine/b.wav"}
    assert (report["corpora"]["mine"]["kept"], report["corpora"]["mine"]["skipped"]) == (8, {DUPLICATE: 2})
    assert kept(folder) == {f"mine/{name}.wav" for name in "abdfghyz"}
    assert count_in_no_split(folder, load_prepared(folder, "paper")) == 0
    assert load_report(folder) == report


def test_labels_of_duplicates_that_contradict_each_other_are_reported(found):
    _, report = found
    (conflict,) = report["label_conflicts"]
    assert conflict == {
        "column": "emotion",
        "kept": "mine/b.wav",
        "kept_label": "angry",
        "duplicate": "mine/e.wav",
        "duplicate_label": "sad",
    }
    text = format_report(report | {"settings": {"licenses": {}}})
    assert all(word in text for word in ("mine/b.wav", "mine/e.wav", "angry", "sad", DUPLICATE))


@pytest.mark.slow
def test_duplicates_can_be_skipped_later_at_little_cost_and_come_back(table, tmp_path):
    before = prepare_table(table, tmp_path / "out", skip_duplicates=False)
    assert (len(kept(tmp_path / "out")), before["duplicates"]) == (10, {})
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/clips").glob("*/table/*.arrow")}
    first = prepare_table(table, tmp_path / "out")
    marks = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/clips").glob("*/fingerprints.npy")}
    assert prepare_table(table, tmp_path / "out") == first
    assert {path: path.stat().st_mtime_ns for path in marks} == marks
    assert {path: path.stat().st_mtime_ns for path in parts} == parts
    assert prepare_table(table, tmp_path / "out", skip_duplicates=False) == before
    assert prepare_table(table, tmp_path / "anew") == first


@pytest.mark.slow
def test_which_duplicate_is_kept_does_not_depend_on_the_order_of_the_table(table, tmp_path):
    report = prepare_table(table, tmp_path / "out")
    pd.read_csv(table)[::-1].to_csv(table, index=False)
    assert prepare_table(table, tmp_path / "turned")["duplicates"] == report["duplicates"]
