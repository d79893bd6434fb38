import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.clip import SkippedClip
from preprocessing.corpora.scan import Source, UserAudio, scan
from preprocessing.corpora.user_audio import NOT_AUDIO
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.protocols import PROTOCOLS
from preprocessing.prepared.rows import PreparationConfig
from preprocessing.prepared.table import load_report
from preprocessing.stored_audio import stored_waveform
from tests.conftest import EXTRA_COLUMNS, ROOT, voice
from tests.support.audio_clips import prepared_clips, write_table

SHORT = PreparationConfig(min_duration_s=0.1)


def prepare_table(table: Path, output: Path, preparation: PreparationConfig = SHORT) -> dict:
    return prepare(scan([Source("table", table)]), output, preparation, num_proc=1)


def times(folder: Path) -> dict[str, int]:
    return {part.name: part.stat().st_mtime_ns for part in (folder / "clips").iterdir()}


def test_the_report_has_every_input_and_counts_them(prepared, user_table):
    entries = scan([Source("table", user_table)], user_audio=UserAudio(columns=EXTRA_COLUMNS))
    report = load_report(prepared)
    assert [file["id"] for file in report["files"]] == [entry.id for entry in entries]
    assert Counter(file["kept"] for file in report["files"]) == {True: 96}
    assert {name: corpus["kept"] for name, corpus in report["corpora"].items()} == {"alpha": 64, "beta": 32}
    for name, corpus in report["corpora"].items():
        mine = [entry for entry in entries if entry.corpus == name]
        for column in ("emotion", "gender", "locale"):
            assert corpus[column] == Counter(str(getattr(entry, column)) for entry in mine)
        assert 0.55 < corpus["mean_duration_s"] < 1.1
        assert corpus["hours"] == pytest.approx(corpus["kept"] * corpus["mean_duration_s"] / 3600)
    assert report["settings"]["max_duration_s"] == 6.0
    assert report["notes"].keys() == PROTOCOLS.keys()


def test_a_row_is_the_clip_that_its_index_names(prepared, user_table):
    table = pd.read_csv(user_table, keep_default_na=False, dtype=str).set_index("path")
    for split in load_prepared(prepared, "paper").values():
        for row in split:
            expected = table.loc[f"wav/{row['path']}"]
            assert row["id"] == f"{expected.corpus}/wav/{row['path']}"
            for name in ("emotion", "speaker", "recorded", "locale"):
                assert row[name] == expected[name]
            assert row["gender"] == (expected.gender or None)
            assert row["valence"] == (float(expected.valence) if expected.valence else None)
            assert row["duration_s"] == stored_waveform(row).size / SAMPLING_RATE


@pytest.mark.slow
def test_a_second_run_does_nothing_again_a_change_its_part_and_another_setting_all(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 5, "b": 6, "c": 4})
    first = prepare_table(table, tmp_path / "out")
    before = times(tmp_path / "out")
    assert prepare_table(table, tmp_path / "out") == first
    assert times(tmp_path / "out") == before
    changes = [
        lambda: soundfile.write(tmp_path / "audio/wav/a002.wav", voice(0.2, 300), SAMPLING_RATE),
        lambda: write_table(tmp_path / "audio", {"a": 5, "b": 7, "c": 4}),
    ]
    for part, change in enumerate(changes):
        old = load_report(tmp_path / "out")["parts"]
        change()
        new = prepare_table(table, tmp_path / "out")["parts"]
        assert [i for i in range(3) if old[i] != new[i]] == [part]
        after = times(tmp_path / "out")
        assert after.keys() == set(new)
        assert {name: after[name] for name in old if name in new} == {name: before[name] for name in old if name in new}
        before = after
    prepare_table(table, tmp_path / "fresh")
    assert prepared_clips(tmp_path / "out") == prepared_clips(tmp_path / "fresh")
    anew = prepare_table(table, tmp_path / "out", PreparationConfig(min_duration_s=0.1, max_duration_s=0.08))["parts"]
    assert times(tmp_path / "out").keys() == set(anew)
    assert not set(anew) & set(new)


@pytest.mark.slow
def test_a_folder_of_an_older_version_gets_the_protocols_that_it_lacks_without_preparing_clips_again(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 9, "b": 9})
    report = prepare_table(table, tmp_path / "out")
    before = times(tmp_path / "out")
    written = {path.name: path.read_text() for path in (tmp_path / "out/splits").iterdir()}
    for name in ("loco", "cross"):
        (tmp_path / f"out/splits/{name}.json").unlink()
    assert prepare_table(table, tmp_path / "out") == report
    assert {path.name: path.read_text() for path in (tmp_path / "out/splits").iterdir()} == written
    assert times(tmp_path / "out") == before


@pytest.mark.slow
def test_an_interrupted_part_is_cleared_and_prepared_again(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 4, "b": 5})
    report = prepare_table(table, tmp_path / "out")
    expected = prepared_clips(tmp_path / "out")
    part = tmp_path / "out/clips" / report["parts"][1]
    unfinished = part.rename(f"{part}.123.unfinished")
    next(unfinished.rglob("*.arrow")).write_bytes(b"half")
    assert prepare_table(table, tmp_path / "out") == report
    assert times(tmp_path / "out").keys() == set(report["parts"])
    assert prepared_clips(tmp_path / "out") == expected


@pytest.mark.slow
def test_a_killed_run_is_taken_up_where_it_stood(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 200})
    command = [sys.executable, "prepare.py", "--corpus", f"table={table}", "--output", str(tmp_path / "killed")]
    options = ["--num_proc", "2", "--min_duration_s", "0.1"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    try:
        while not (done := [part for part in tmp_path.glob("killed/clips/*") if part.suffix != ".unfinished"]):
            assert process.poll() is None, "it ended before its first part"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    survived = {part.name: part.stat().st_mtime_ns for part in done}
    assert not (tmp_path / "killed/report.json").exists()
    report = prepare_table(table, tmp_path / "killed")
    assert len(report["parts"]) > 2
    after = times(tmp_path / "killed")
    assert after.keys() == set(report["parts"])
    assert {name: after[name] for name in survived} == survived
    assert prepare_table(table, tmp_path / "undisturbed") == report
    assert prepared_clips(tmp_path / "killed") == prepared_clips(tmp_path / "undisturbed")


def test_the_corpora_of_a_prepared_folder_are_not_lost_to_another_run(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 3, "b": 3})
    prepare_table(table, tmp_path / "out")
    expected = prepared_clips(tmp_path / "out")
    with pytest.raises(ValueError, match=r"out .* a\."):
        prepare_table(write_table(tmp_path / "audio", {"b": 3}), tmp_path / "out")
    assert prepared_clips(tmp_path / "out") == expected


def test_the_same_clip_twice_is_an_error(tmp_path):
    (clip, *_) = scan([Source("table", write_table(tmp_path, {"a": 2}))])
    with pytest.raises(ValueError, match=r"1 clips .* a/wav/a000\.wav"):
        prepare([clip, clip], tmp_path / "out")


def test_good_and_bad_files_of_one_class_are_kept_or_skipped_and_counted(tmp_path):
    folder = tmp_path / "calls/happy"
    folder.mkdir(parents=True)
    sounds = {"low": voice(0.6, 99), "high": voice(0.6, 230), "silent": np.zeros(9600), "10 ms": voice(0.01, 200)}
    for name, waveform in sounds.items():
        soundfile.write(folder / f"{name}.wav", waveform, SAMPLING_RATE)
    for name in ("text.wav", "notes.txt"):
        (folder / name).write_text("no audio")
    report = prepare(scan([Source("folder", folder.parent)]), tmp_path / "out", num_proc=1)
    kept = {file["id"].removeprefix("calls/happy/") for file in report["files"] if file["kept"]}
    assert kept == {"low.wav", "high.wav", "silent.wav"}
    assert len(report["files"]) == 6
    corpus = report["corpora"]["calls"]
    assert (corpus["kept"], corpus["emotion"], corpus["gender"]) == (3, {"happy": 3}, {"None": 3})
    assert corpus["skipped"] == Counter(file["reason"] for file in report["files"] if not file["kept"])
    assert corpus["skipped"].keys() > {"shorter than 0.5 s", NOT_AUDIO}
    rows = [row for split in load_prepared(tmp_path / "out", "paper").values() for row in split]
    assert {row["path"] for row in rows} == kept
    (silent,) = [row for row in rows if not stored_waveform(row).any()]
    assert (silent["path"], silent["f0_mean"], silent["voiced_ratio"]) == ("silent.wav", None, 0.0)


def test_a_corpus_of_which_nothing_is_left_is_skipped_and_counted(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 3, "b": 4})
    for path in (tmp_path / "audio/wav").glob("a*.wav"):
        path.write_text("no audio")
    report = prepare_table(table, tmp_path / "out")
    assert {name: corpus["kept"] for name, corpus in report["corpora"].items()} == {"a": 0, "b": 4}
    assert sum(report["corpora"]["a"]["skipped"].values()) == 3


def test_a_clip_is_kept_whatever_happens_to_another_entry_of_its_name(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 3})
    clips = scan([Source("table", table)])
    report = prepare([*clips, SkippedClip(clips[0].id, "another label for it")], tmp_path / "out", SHORT, num_proc=1)
    assert [file["kept"] for file in report["files"]] == [True, True, True, False]
    assert (report["corpora"]["a"]["kept"], report["corpora"]["a"]["skipped"]) == (3, {"another label for it": 1})


def test_no_clip_left_is_an_error_that_counts_the_reasons(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 3})
    entries = [
        *scan([Source("table", table)]),
        SkippedClip("a/x", "of another form"),
        SkippedClip("a/y", "of another form"),
    ]
    with pytest.raises(ValueError, match=r"3 .* 0\.5 s; 2 of another form"):
        prepare(entries, tmp_path / "out", num_proc=1)


@pytest.mark.slow
def test_a_clip_more_in_front_leaves_the_other_parts_alone(tmp_path):
    table = write_table(tmp_path / "audio", {"a": 200})
    parts = prepare_table(table, tmp_path / "out")["parts"]
    before = times(tmp_path / "out")
    rows = table.read_text().splitlines()
    shutil.copy(tmp_path / "audio" / rows[1].split(",")[0], tmp_path / "audio" / "0.wav")
    table.write_text("\n".join([rows[0], rows[1].replace(rows[1].split(",")[0], "0.wav"), *rows[1:]]) + "\n")
    again = prepare_table(table, tmp_path / "out")["parts"]
    assert len(parts) > 2
    assert len(set(parts) - set(again)) == 1
    after = times(tmp_path / "out")
    assert all(after[part] == before[part] for part in set(parts) & set(again))


@pytest.mark.parametrize("content", ["{", "[]", '{"models": []}'])
def test_a_folder_of_something_else_is_neither_read_nor_written(tmp_path, content):
    table = write_table(tmp_path / "audio", {"a": 2})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text(content)
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "run"))):
        load_report(tmp_path / "run")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "run"))):
        prepare_table(table, tmp_path / "run")
    assert (tmp_path / "run" / "report.json").read_text() == content
