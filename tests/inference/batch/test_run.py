import json
import re

import pandas as pd
import pytest
import soundfile

from inference.batch.partial_results import PartialResults
from inference.batch.predict import PredictionRequest
from inference.batch.run import export_timeline, run_batch
from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions
from modeling import OutputOptions
from tests.conftest import voice
from tests.support.bad_audio import decoding_error
from tests.support.speech_sounds import babble

SETTINGS = {"model": "abc"}
NO_VAD = PredictionRequest(vad=False)  # the clips are buzzes, not speech


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return load_predictor(str(checkpoint), batch_size=2)


@pytest.fixture
def files(tmp_path):
    """Nine recordings and three files that cannot be read."""
    paths = [tmp_path / f"{index:02}.wav" for index in range(12)]
    for index, path in enumerate(paths):
        soundfile.write(path, voice(0.4 + 0.1 * (index * 5 % 7), 100 + 10 * index, index), 16_000)
    for path in paths[3::4]:
        path.write_bytes(b"no sound")
    return [str(path) for path in paths]


def read(output):
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def run(predictor, files, output, request=NO_VAD, **settings):
    return run_batch(predictor, files, output, request, {**SETTINGS, **settings})


def test_every_file_has_its_row_in_the_order_that_was_given(predictor, files, tmp_path, capsys):
    output = tmp_path / "new" / "rows.jsonl"
    assert run(predictor, files[::-1], output) == 3
    rows = read(output)
    assert [row["file"] for row in rows] == files[::-1]
    assert [row["file"] for row in rows if "error" in row] == files[3::4][::-1]
    assert list(output.parent.iterdir()) == [output]
    assert "12 files; 3 could not" in capsys.readouterr().out


@pytest.mark.parametrize(("ending", "read_table"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_every_format_has_the_same_rows(predictor, files, tmp_path, ending, read_table):
    run(predictor, files, tmp_path / f"rows{ending}")
    run(predictor, files, tmp_path / "rows.jsonl")
    table = read_table(tmp_path / f"rows{ending}")
    rows = read(tmp_path / "rows.jsonl")
    assert list(table["file"]) == files
    assert list(table["error"].notna()) == ["error" in row for row in rows]
    good = [row for row in rows if "error" not in row]
    assert list(table["emotion"].dropna()) == [row["emotion"][0]["label"] for row in good]
    assert list(table["f0_mean"].dropna()) == pytest.approx([row["f0_mean"]["value"] for row in good], abs=0.05)


def test_a_resumed_run_processes_only_the_files_that_are_left(predictor, files, tmp_path, monkeypatch, capsys):
    output = tmp_path / "rows.jsonl"
    done = [{"file": files[5], "emotion": [{"label": "from partial results", "score": 1.0}]}]

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("inference.batch.run.predict_files", killed)
    with pytest.raises(KeyboardInterrupt):
        run(predictor, files, output)
    list(PartialResults(output).append([(files[5], done), ("no longer there.wav", [{"file": "no longer there.wav"}])]))
    monkeypatch.undo()
    run(predictor, files, output)
    rows = read(output)
    assert [row["file"] for row in rows] == files
    assert [rows[5]] == done
    assert "1 of 12 files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "another"}, "model abc.* another"),
        ({"request": PredictionRequest(OutputOptions(top_k=1), vad=False)}, "top_k None.* 1"),
        (
            {"request": PredictionRequest(timeline=TimelineOptions(hop_s=0.5))},
            "hop_s None.* 0.5; .*timeline False.* True",
        ),
    ],
)
def test_partial_results_of_other_settings_are_not_resumed(predictor, files, tmp_path, monkeypatch, change, expected):
    monkeypatch.setattr("inference.batch.run.predict_files", lambda *_: iter([(files[0], [{}]), 1 / 0]))
    with pytest.raises(ZeroDivisionError):
        run(predictor, files, tmp_path / "rows.jsonl")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=expected):
        run(predictor, files, tmp_path / "rows.jsonl", **change)
    assert not (tmp_path / "rows.jsonl").exists()


@pytest.fixture
def speech(tmp_path):
    soundfile.write(tmp_path / "speech.wav", babble(3.0), 16_000)
    return str(tmp_path / "speech.wav")


def test_a_file_with_several_segments_is_whole_in_the_rows(predictor, speech, files, tmp_path):
    request = PredictionRequest(timeline=TimelineOptions(window_s=0.3, hop_s=0.1, switch_cost_s=0.0))
    assert run(predictor, [speech, files[3]], tmp_path / "rows.csv", request) == 1
    table = pd.read_csv(tmp_path / "rows.csv")
    assert list(table.columns[:3]) == ["file", "start_s", "end_s"]
    assert list(table["file"].unique()) == [speech, files[3]]
    segments = table[table["file"] == speech]
    assert len(segments) >= 1
    assert segments["start_s"].is_monotonic_increasing
    assert (segments["end_s"] - segments["start_s"]).sum() == pytest.approx(segments["speech_s"].iloc[0])


@pytest.mark.parametrize("ending", ["srt", "TextGrid", "json"])
def test_the_timeline_of_one_recording_goes_into_any_of_its_formats(predictor, speech, tmp_path, ending):
    request = PredictionRequest(timeline=TimelineOptions())
    output = tmp_path / "new" / f"speech.{ending}"
    assert export_timeline(predictor, speech, output, request) == 0
    assert output.read_text(encoding="utf-8").strip()
    assert list(output.parent.iterdir()) == [output]


def test_an_output_that_a_killed_export_cannot_have_written_is_left_alone(predictor, speech, tmp_path, monkeypatch):
    request, output = PredictionRequest(timeline=TimelineOptions()), tmp_path / "film.srt"
    with monkeypatch.context() as killed:
        killed.setattr("inference.batch.run.PartialResults.close", lambda partial: partial._lock.release())
        export_timeline(predictor, speech, output, request)
    output.write_text("mine")
    with pytest.raises(ValueError, match=r"film\.srt .*--overwrite"):
        export_timeline(predictor, speech, output, request)
    assert output.read_text() == "mine"
    assert export_timeline(predictor, speech, output, request, overwrite=True) == 0
    assert output.read_text() != "mine"
    assert list(tmp_path.glob("film*")) == [output]


def test_a_recording_that_cannot_be_read_has_no_timeline(predictor, files, tmp_path):
    with pytest.raises(ValueError, match=rf"03\.wav: {re.escape(decoding_error(files[3]))}"):
        export_timeline(predictor, files[3], tmp_path / "film.srt", PredictionRequest(timeline=TimelineOptions()))
    assert not (tmp_path / "film.srt").exists()
