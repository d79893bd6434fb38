import csv
import errno
import json
import os
import re

import pandas as pd
import pytest

from inference.curation.filter import filter_manifest
from inference.curation.manifest import REASON_COLUMN
from inference.curation.recordings import FilterOptions
from tests.inference.curation.conftest import VOICES
from tests.support.bad_audio import decoding_error
from tests.support.piped_audio import PIPED, piped, recording

NAMES = [*VOICES, "bad", "gone"]


def write_manifest(folder, form):
    rows = [{"path": f"{name}.wav", "text": f'"{name}", he said', "speaker": "p1"} for name in NAMES]
    path = folder / {"ljspeech": "metadata.csv", "nemo": "m.json", "csv": "m.csv", "parquet": "m.parquet"}[form]
    if form == "ljspeech":
        (folder / "wavs").mkdir()
        for file in folder.glob("*.wav"):
            file.rename(folder / "wavs" / file.name)
        path.write_text("".join(f'{name}|{name}, "x"|{name}\n' for name in NAMES))
    elif form == "nemo":
        entries = [{"audio_filepath": str(folder / row["path"]), "duration": 0.60, "text": row["text"]} for row in rows]
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    elif form == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        pd.DataFrame(rows).to_parquet(path)
    return path


def read_rows(path, form):
    if form == "ljspeech":
        rows = list(csv.reader(path.open(), delimiter="|", quoting=csv.QUOTE_NONE))
        return [(row[0], row[3] if len(row) > 3 else None) for row in rows]
    if form == "nemo":
        table = pd.read_json(path, lines=True)
    else:
        table = pd.read_csv(path) if form == "csv" else pd.read_parquet(path)
    if table.empty:
        return []
    paths = table["audio_filepath" if form == "nemo" else "path"]
    names = [name.rsplit("/", 1)[-1].removesuffix(".wav") for name in paths]
    return list(zip(names, table.get(REASON_COLUMN, [None] * len(names)), strict=True))


@pytest.mark.parametrize("form", ["ljspeech", "nemo", "csv", "parquet"])
def test_every_row_of_every_form_is_kept_or_rejected_with_its_reasons(checkpoint, folder, form):
    manifest = write_manifest(folder, form)
    content = manifest.read_bytes()
    output = folder / "out" / f"kept{manifest.suffix}"
    keep = ["60 <= measured_f0_mean <= 150", "unique_sound", "duration_s >= 0.5"]
    report = filter_manifest(manifest, str(checkpoint), output, keep, num_proc=1, vad=False)
    kept = read_rows(output, form)
    rejected = dict(read_rows(folder / "out" / f"kept.rejected{manifest.suffix}", form))
    assert [name for name, _ in kept] == ["low", "mid", "other", "fast"]
    assert sorted([*(name for name, _ in kept), *rejected]) == sorted(NAMES)
    why = {name: reason if isinstance(reason, str) else "; ".join(reason) for name, reason in rejected.items()}
    assert why["high"].startswith("60 <= measured_f0_mean <= 150: measured_f0_mean is 2")
    assert why["copy"].startswith("unique_sound: ")
    assert why["copy"].removesuffix(".wav").endswith("low")
    assert why["bad"].endswith(decoding_error(next(folder.rglob("bad.wav"))))
    assert os.strerror(errno.ENOENT) in why["gone"]
    assert report["precision"] == "float32"
    assert (report["rows"], report["kept"], report["rejected"], report["unreadable"]) == (8, 4, 4, 2)
    assert report["conditions"] == [
        {"condition": keep[0], "rejected": 1, "alone": 1},
        {"condition": keep[1], "rejected": 1, "alone": 1},
        {"condition": keep[2], "rejected": 0, "alone": 0},
    ]
    assert json.loads((folder / "out" / "kept.report.json").read_text()) == report
    assert manifest.read_bytes() == content


def test_all_reasons_are_given_and_other_conditions_analyze_nothing_again(checkpoint, voices, folder):
    manifest = write_manifest(folder, "csv")
    table = pd.read_csv(manifest)[:-2].assign(sex=["F" if voices[1] == "female" else "M", *"FFMM", None])
    table.to_csv(manifest, index=False)
    options = FilterOptions(label_map={"F": "female", "M": "male"})
    keep = ["gender == manifest_sex", "60 <= measured_f0_mean <= 150", "duration_s > 1"]
    first = filter_manifest(manifest, str(checkpoint), folder / "kept.csv", keep, options, num_proc=1, vad=False)
    assert (first["kept"], first["rejected"], first["analyzed"]) == (0, 6, 6)
    reasons = pd.read_csv(folder / "kept.rejected.csv").set_index("path")[REASON_COLUMN]
    assert reasons["low.wav"] == "duration_s > 1: duration_s is 0.6"
    assert reasons["fast.wav"] == "gender == manifest_sex: manifest_sex is missing; duration_s > 1: duration_s is 0.6"
    assert reasons["high.wav"].endswith("; duration_s > 1: duration_s is 0.6")
    assert first["conditions"][2] == {
        "condition": "duration_s > 1",
        "rejected": 6,
        "alone": first["conditions"][2]["alone"],
    }
    second = filter_manifest(manifest, str(checkpoint), folder / "more.csv", keep[:1], options, num_proc=1, vad=False)
    assert second["analyzed"] == 0
    assert second["rejected"] == second["conditions"][0]["rejected"] == second["conditions"][0]["alone"]
    assert pd.read_csv(folder / "more.csv")["path"][0] == "low.wav"


@pytest.mark.slow
def test_a_duration_is_what_was_decoded_and_an_unknown_one_meets_no_condition(checkpoint, tmp_path, monkeypatch):
    codec, rate = PIPED["webm"]
    for name, seconds in (("short", 3), ("long", 12)):
        (tmp_path / f"{name}.webm").write_bytes(piped(recording(seconds, rate), rate, codec, "webm"))
    (tmp_path / "m.csv").write_text("path\nshort.webm\nlong.webm\n")

    def reasons(name: str) -> str:
        output = tmp_path / name / "kept.csv"
        report = filter_manifest(tmp_path / "m.csv", str(checkpoint), output, ["1 <= duration_s <= 10"], num_proc=1)
        assert (report["kept"], report["rejected"], report["conditions"][0]["rejected"]) == (1, 1, 1)
        assert output.read_text() == "path\nshort.webm\n"
        return pd.read_csv(tmp_path / name / "kept.rejected.csv")[REASON_COLUMN][0]

    assert "12" in reasons("known")
    monkeypatch.setattr("modeling.audio_ser._COUNTED", 1000)
    assert reasons("unknown") == "1 <= duration_s <= 10: duration_s is missing"


def test_a_recording_in_two_rows_is_analyzed_once_and_one_of_them_is_kept(checkpoint, folder):
    manifest = folder / "m.csv"
    manifest.write_text("path,speaker\nlow.wav,a\n./low.wav,a\n,a\nmid.wav,\n")
    keep = ["unique_sound_by_speaker"]
    report = filter_manifest(manifest, str(checkpoint), folder / "kept.csv", keep, num_proc=1, vad=False)
    assert (folder / "kept.csv").read_text() == "path,speaker\nlow.wav,a\n"
    again, unnamed, unknown = pd.read_csv(folder / "kept.rejected.csv")[REASON_COLUMN]
    assert re.fullmatch(r"unique_sound_by_speaker: .* low\.wav", again)
    assert unnamed
    assert not unnamed.startswith(keep[0])
    assert unknown == "unique_sound_by_speaker: manifest_speaker is missing"
    assert (report["analyzed"], report["unreadable"]) == (2, 1)


@pytest.mark.parametrize(
    ("text", "output", "keep", "options", "message"),
    [
        ("path\nlow.wav\n", "kept.jsonl", "duration_s > 1", {}, "kept.jsonl.* kept.csv"),
        ("path\nlow.wav\n", "m.csv", "duration_s > 1", {}, "m.csv"),
        ("a,b\nlow.wav,1\n", "kept.csv", "duration_s > 1", {}, r"\bpath or audio or .*\ba, b\b"),
        ("a,b\nlow.wav,1\n", "kept.csv", "duration_s > 1", {"path_column": "c"}, "'c'.* a, b"),
        ("path\nlow.wav\n", "kept.csv", "duration_s > 1", {"speaker_column": "c"}, "'c'.* path"),
        (
            "path\nlow.wav\n../x.wav\n",
            "kept.csv",
            "duration_s > 1",
            {},
            r"m\.csv, row 2: '\.\./x\.wav' ",
        ),
        ("path\nlow.wav\n", "kept.csv", "emotion == 'joy'", {}, "emotion 'joy'.* angry, happy"),
        (
            "path\nlow.wav\n",
            "kept.csv",
            "emotion == 'sad'",
            {"label_map": {"S": "joy"}},
            "--label_map S=joy",
        ),
        ("path,g\nlow.wav,F\n", "kept.csv", "gender == manifest_g", {}, "manifest_g.* F, .* female, male"),
        (
            "path,offset\nlow.wav,0\nlow.wav,2.5\n",
            "kept.csv",
            "emotion == 'sad'",
            {},
            "1 rows .*offset",
        ),
    ],
)
def test_a_mistake_is_reported_before_anything_is_analyzed_or_written(
    checkpoint, folder, text, output, keep, options, message
):
    (folder / "m.csv").write_text(text)
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match=message):
        filter_manifest(folder / "m.csv", str(checkpoint), folder / output, [keep], FilterOptions(**options))
    assert sorted(folder.iterdir()) == before
    assert (folder / "m.csv").read_text() == text


def test_existing_files_are_left_alone(folder, checkpoint):
    (folder / "m.csv").write_text("path\nlow.wav\n")
    for name in ("kept.csv", "kept.rejected.csv", "kept.report.json"):
        (folder / name).write_text("mine")
        with pytest.raises(ValueError, match=rf"{name} .*--overwrite"):
            filter_manifest(folder / "m.csv", str(checkpoint), folder / "kept.csv", ["duration_s > 0"])
        assert (folder / name).read_text() == "mine"
        (folder / name).unlink()
    (folder / "kept.csv").write_text("mine")
    filter_manifest(
        *(folder / "m.csv", str(checkpoint), folder / "kept.csv", ["duration_s > 0"]),
        num_proc=1,
        vad=False,
        overwrite=True,
    )
    assert (folder / "kept.csv").read_text() == "path\nlow.wav\n"
