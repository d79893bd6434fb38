import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from preprocessing.audit.checks import MAX_EXAMPLES, Thresholds
from preprocessing.audit.run import KINDS, audit, format_audit
from preprocessing.corpora.scan import Source, UserAudio, scan
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from tests.preprocessing.audit.conftest import RATE, prepare_table, speak
from tests.support.documents import numbers

FEW = Thresholds(baseline_clips=2)  # of each speaker here


def audit_table(folder: Path, table: pd.DataFrame) -> dict:
    report = audit(prepare_table(folder, table), "paper", num_proc=1, thresholds=FEW)
    assert json.loads(json.dumps(report)) == report
    return report


def test_a_clean_set_gives_no_finding(clean_prepared):
    report = audit(clean_prepared, "paper", num_proc=1, thresholds=FEW)
    assert report["findings"] == {}
    assert report["clips"] == {"train": 8, "validation": 8, "test": 8}
    assert report["num_checked"] == dict.fromkeys(KINDS, 24)
    assert report["thresholds"]["silent_dbfs"] == -65
    assert f": {', '.join(KINDS)}." in format_audit(report)


@pytest.mark.parametrize(("protocol", "severity"), [("speaker", "error"), ("paper", "warning")])
def test_a_shared_speaker_is_an_error_where_the_protocol_promises_otherwise(leaking, protocol, severity):
    report = audit(leaking, protocol, num_proc=1)
    assert report["findings"] == {
        "shared_speakers": {
            "severity": severity,
            "count": 1,
            "of": 6,
            "corpora": {"mine": {"count": 1, "of": 6}},
            "examples": [{"why": "mine, speaker s0: 3 in train, 1 in test", "clips": ["mine/01.wav", "mine/00.wav"]}],
        }
    }


SHARED = {"shared_speakers", "identical_audio", "same_sound"}


@pytest.fixture
def two_corpora(mine) -> tuple[Path, pd.DataFrame]:
    """Corpus a and corpus b, three speakers each, a sentence of a speaker's in several takes."""
    folder, table = mine
    table["corpus"] = ["ab"[int(speaker[1:]) % 2] for speaker in table["speaker"]]
    return folder, table.drop(columns="split")


@pytest.mark.slow
def test_protocols_that_keep_speakers_or_corpora_apart_share_nothing(two_corpora):
    prepared = prepare_table(*two_corpora)
    found = {name: audit(prepared, name, num_proc=1) for name in ("paper", "speaker", "loco:a", "loco:b", "cross:a")}
    assert {name: report["findings"].keys() & SHARED for name, report in found.items()} == {
        "paper": {"shared_speakers"},
        "speaker": set(),
        "loco:a": set(),  # though speakers of b are in train and validation
        "loco:b": set(),
        "cross:a": {"shared_speakers"},
    }
    assert found["loco:a"]["clips"]["test"] == 12
    assert found["loco:a"]["one_split"] == ["train", "validation"]
    one_split = [line for line in format_audit(found["loco:a"]).splitlines() if "one split" in line]
    assert [all(name in line for name in ("train", "validation")) for line in one_split] == [True]
    assert "one split" not in format_audit(found["speaker"])
    sizes, unused = found["cross:a"]["clips"], found["cross:a"]["in_no_split"]
    assert (sum(sizes.values()) + unused, unused > 0) == (24, True)
    in_no_split = [line for line in format_audit(found["cross:a"]).splitlines() if "no split" in line]
    assert [f"{unused} clips" in line for line in in_no_split] == [True]
    assert "no split" not in format_audit(found["loco:a"])


@pytest.mark.slow
def test_a_copy_from_the_corpus_that_is_left_out_is_an_error_and_one_among_the_others_is_not(two_corpora):
    folder, table = two_corpora
    copies = [path for path, corpus in zip(table["path"], table["corpus"], strict=True) if corpus == "a"][1:]
    for path in copies:
        shutil.copy(folder / "08.wav", folder / f"{path}.copy")
        (folder / f"{path}.copy").replace(folder / path)
    shutil.copy(folder / "00.wav", folder / "04.wav")  # from a to b
    prepared = prepare_table(folder, table)
    assert set(load_prepared(prepared, "loco:b")["validation"]["path"]) < set(copies)
    findings = audit(prepared, "loco:b", num_proc=1)["findings"]
    assert "shared_speakers" not in findings
    assert (findings["identical_audio"]["severity"], findings["identical_audio"]["count"]) == ("error", 2)
    assert set(findings["identical_audio"]["examples"][0]["clips"]) == {"a/00.wav", "b/04.wav"}
    assert (findings["repeated_audio"]["severity"], findings["repeated_audio"]["count"]) == ("warning", len(copies))


@pytest.mark.slow
def test_a_shared_sentence_is_found(mine):
    folder, table = mine
    table.loc[[0, 9], "sentence"] = "sentence 20"
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "shared_sentences"
    assert (finding[1]["severity"], finding[1]["count"], finding[1]["of"]) == ("warning", 1, 22)
    (example,) = finding[1]["examples"]
    assert re.fullmatch(r"mine, sentence sentence 20: 1 .*train, 1 .*validation, 1 .*test", example["why"])
    assert example["clips"] == ["mine/00.wav", "mine/09.wav", "mine/20.wav"]


@pytest.mark.slow
def test_the_same_file_under_two_names_is_found(mine):
    folder, table = mine
    shutil.copy(folder / "00.wav", folder / "16.wav")
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "identical_audio"
    assert (finding[1]["severity"], finding[1]["count"]) == ("error", 2)
    assert finding[1]["examples"][0]["clips"] == ["mine/00.wav", "mine/16.wav"]


COPIES = {
    "another rate": lambda sound: (soxr.resample(sound, RATE, 16000), 16000),
    "telephone": lambda sound: (soxr.resample(sound, RATE, 8000), 8000),
    "another level": lambda sound: (0.1 * sound, RATE),
    "silence before it": lambda sound: (np.pad(sound, (5000, 0)), RATE),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.slow
def test_the_same_sound_in_another_form_is_found(mine, copy):
    folder, table = mine
    soundfile.write(folder / "16.wav", *copy(speak(0, 240)))
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "same_sound"
    assert (finding[1]["severity"], finding[1]["count"]) == ("error", 2)
    (example,) = finding[1]["examples"]
    assert re.fullmatch(r"mine/00\.wav .*train, mine/16\.wav .*test", example["why"])
    assert example["clips"] == ["mine/00.wav", "mine/16.wav"]


@pytest.mark.slow
def test_a_duplicate_within_a_split_is_not_a_leak(mine):
    folder, table = mine
    shutil.copy(folder / "00.wav", folder / "01.wav")
    soundfile.write(folder / "02.wav", 0.5 * speak(0, 240), RATE)
    findings = audit_table(folder, table)["findings"]
    assert findings.keys() == {"repeated_audio"}
    assert (findings["repeated_audio"]["severity"], findings["repeated_audio"]["count"]) == ("warning", 2)


@pytest.mark.parametrize("level", [0.0, 1e-4])
@pytest.mark.slow
def test_a_silent_file_is_found(mine, level):
    folder, table = mine
    soundfile.write(folder / "05.wav", np.random.default_rng(0).normal(scale=level, size=12000), 16000)
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "silent"
    assert (finding[1]["severity"], finding[1]["count"]) == ("warning", 1)
    assert finding[1]["examples"][0]["clips"] == ["mine/05.wav"]


@pytest.mark.parametrize("rate", [16000, RATE])
@pytest.mark.slow
def test_a_clipped_file_is_found(mine, rate):
    folder, table = mine
    sound = soxr.resample(speak(5, 115), RATE, rate)
    soundfile.write(folder / "05.wav", 4 * sound / np.abs(sound).max(), rate)  # written with 16 bits, which cut it off
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "clipped"
    assert finding[1]["examples"][0]["clips"] == ["mine/05.wav"]


@pytest.mark.slow
def test_an_imbalanced_label_is_found(mine):
    folder, table = mine
    table.loc[2:, "emotion"] = ["angry", *["happy", "angry"] * 10, "sad"]
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "imbalance"
    assert (finding[1]["count"], finding[1]["of"]) == (1, 3)
    (example,) = finding[1]["examples"]
    assert example["why"].startswith("mine: 2 sad")
    assert numbers(example["why"]) == [2, 0.25, 8]
    assert example["clips"] == ["mine/01.wav"]


@pytest.mark.parametrize(("gender", "other", "speaker"), [("male", "female", "s0"), ("female", "male", "s3")])
@pytest.mark.slow
def test_a_pitch_that_contradicts_the_gender_is_found(mine, gender, other, speaker):
    folder, table = mine
    assert set(table.loc[table["speaker"] == speaker, "gender"]) == {other}
    table.loc[table["speaker"] == speaker, "gender"] = gender
    (finding,) = audit_table(folder, table)["findings"].items()
    assert finding[0] == "gender_pitch"
    clips = [clip for example in finding[1]["examples"] for clip in example["clips"]]
    assert clips == [f"mine/{path}" for path in table.loc[table["speaker"] == speaker, "path"]]
    assert (finding[1]["count"], finding[1]["of"]) == (1, 6)


@pytest.mark.slow
def test_what_could_not_be_checked_is_reported(mine):
    folder, table = mine
    report = audit_table(folder, table[["path", "split"]])
    assert report["findings"] == {}
    lacking = dict.fromkeys(("shared_speakers", "shared_sentences", "imbalance", "gender_pitch"), 0)
    assert report["num_checked"] == dict.fromkeys(KINDS, 24) | lacking
    assert "shared_speakers: 24 clips" in format_audit(report)


def test_examples_are_bounded_and_thresholds_can_be_moved(clean_prepared):
    report = audit(clean_prepared, "paper", num_proc=1, thresholds=Thresholds(silent_dbfs=0))
    assert report["thresholds"]["silent_dbfs"] == 0
    finding = report["findings"]["silent"]
    assert (finding["count"], len(finding["examples"])) == (24, MAX_EXAMPLES)
    assert format_audit(report).count("\n  - ") == MAX_EXAMPLES + 1


@pytest.mark.slow
def test_nothing_is_written_to_the_prepared_folder(clean_prepared):
    before = {path: path.stat().st_mtime_ns for path in clean_prepared.rglob("*")}
    audit(clean_prepared, "paper", num_proc=2)
    assert {path: path.stat().st_mtime_ns for path in clean_prepared.rglob("*")} == before


def test_real_speech_gives_no_false_alarm(real_audio, tmp_path):
    """60 clips of 12 actors, two of which the authors published under two names."""
    pair = [f"Actor_07/03-01-03-01-02-0{take}-07.wav" for take in (1, 2)]
    chosen = {
        *sorted(real_audio.glob("ravdess/*/*.wav"))[::12],
        *(real_audio / "ravdess" / name for name in pair),
    }
    for path in chosen:
        (tmp_path / "ravdess" / path.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "ravdess" / path.parent.name / path.name).symlink_to(path)
    prepared = tmp_path / "prepared"
    prepare(scan([Source("ravdess", tmp_path / "ravdess")]), prepared)
    path = prepared / "splits/paper.json"
    protocol = json.loads(path.read_text(encoding="utf-8"))
    protocol["clips"] |= {f"ravdess/{pair[0]}": "train", f"ravdess/{pair[1]}": "test"}
    path.write_text(json.dumps(protocol), encoding="utf-8")
    findings = audit(prepared, "paper")["findings"]
    assert sum(map(len, load_prepared(prepared, "paper").values())) == len(chosen) >= 60
    assert findings.keys() <= {"shared_speakers", "shared_sentences", "identical_audio", "imbalance"}
    assert set(findings["identical_audio"]["examples"][0]["clips"]) == {f"ravdess/{name}" for name in pair}
    assert findings["identical_audio"]["count"] == 2


@pytest.mark.slow
def test_real_corpora_share_nothing_where_speakers_or_corpora_are_kept_apart(real_audio, tmp_path):
    """Five clips of each of 12 actors of RAVDESS and 15 of each of 4 speakers of nEMO."""
    for pattern, step in (("ravdess/*/*.wav", 12), ("nemo/samples/*", 8)):
        for path in sorted(real_audio.glob(pattern))[::step]:
            copy = tmp_path / path.relative_to(real_audio)  # a table may not name links that lead elsewhere
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    table = pd.read_csv(real_audio / "nemo/data.tsv", sep="\t", dtype=str)
    there = [(tmp_path / "nemo/samples" / name).exists() for name in table["file_id"]]
    table[there].to_csv(tmp_path / "nemo/data.tsv", sep="\t", index=False)
    options = UserAudio(columns={"path": "file_id", "speaker": "speaker_id"}, audio_folder="samples")
    sources = [Source("ravdess", tmp_path / "ravdess"), Source("table", tmp_path / "nemo/data.tsv")]
    names = {"anger": "angry", "happiness": "happy", "sadness": "sad", "surprised": "surprise"}
    prepare(scan(sources, label_map=names, user_audio=options), tmp_path / "prepared")
    for protocol in ("speaker", "loco:ravdess", "loco:nemo"):
        report = audit(tmp_path / "prepared", protocol)
        assert sum(report["clips"].values()) == 120
        assert report["findings"].keys() & SHARED == set(), protocol
