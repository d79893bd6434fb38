import errno
import json
import os

import numpy as np
import pytest
import soundfile

from inference.curation.score_cache import ScoreCache, known_names
from inference.engine.predictor import load_predictor
from modeling import load_audio
from preprocessing.duplicates.audio_fingerprint import FINGERPRINT_SIZE
from preprocessing.targets.acoustics import acoustic_targets
from tests.conftest import TASKS, voice
from tests.support.bad_audio import decoding_error


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return load_predictor(str(checkpoint))


@pytest.fixture
def files(tmp_path):
    """A long recording, a short one, silence, a file without audio and a missing one."""
    return write_files(tmp_path)


def write_files(folder):
    paths = [folder / name for name in ("long.wav", "short.flac", "silence.wav", "bad.wav", "gone.wav")]
    soundfile.write(paths[0], voice(7.0, 140, 0), 16_000)
    soundfile.write(paths[1], voice(0.6, 220, 1, rate=44_100), 44_100)
    soundfile.write(paths[2], np.zeros(16_000), 16_000)
    paths[3].write_bytes(b"no sound")
    return paths


def test_rows_hold_predictions_and_measurements(predictor, files, tmp_path):
    scores = ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    assert scores.complete(files, 1) == len(files)
    labels, numbers = known_names(predictor.tasks)
    assert labels == {"emotion": TASKS[0].labels, "gender": TASKS[1].labels}
    rows = scores.read(files, {*labels, *numbers, "fingerprint"})
    assert list(rows) == [str(file) for file in files]
    for file in files[:3]:
        row, waveform = rows[str(file)], load_audio(file)
        assert row.keys() == {*labels, *numbers, "fingerprint"}
        decoded = predictor([waveform])
        expected = dict(zip(TASKS[0].labels, decoded["emotion"][0].tolist(), strict=True))
        assert {name: row[f"emotion_{name}"] for name in TASKS[0].labels} == pytest.approx(expected, rel=1e-4)
        assert row["emotion"] == max(expected, key=expected.get)
        assert row["emotion_score"] == max(row[f"emotion_{name}"] for name in TASKS[0].labels)
        assert row["f0_mean"] == pytest.approx(float(decoded["f0_mean"][0]), rel=1e-4)
        for name, value in acoustic_targets(waveform).items():
            assert row[f"measured_{name}"] == (value if value is None else pytest.approx(value, rel=1e-4))
        assert row["duration_s"] == pytest.approx(waveform.size / 16_000, abs=1e-4)
    assert (rows[str(files[0])]["analyzed_s"], rows[str(files[1])]["analyzed_s"]) == (6.0, pytest.approx(0.6, abs=1e-3))
    assert rows[str(files[2])]["measured_f0_mean"] is None
    assert [np.isnan(rows[str(file)]["fingerprint"]).all() for file in files[:3]] == [False, False, True]
    assert rows[str(files[0])]["fingerprint"].shape == (FINGERPRINT_SIZE,)
    assert rows[str(files[3])].keys() == rows[str(files[4])].keys() == {"error"}
    assert rows[str(files[3])]["error"] == decoding_error(files[3])
    assert os.strerror(errno.ENOENT) in rows[str(files[4])]["error"]


def test_only_what_changed_is_analyzed_again(predictor, files, tmp_path):
    path = tmp_path / "s.jsonl"
    ScoreCache(path, predictor, "abc", vad=False).complete(files, 1)
    before = path.read_bytes()
    assert ScoreCache(path, predictor, "abc", vad=False).complete(files, 1) == 0
    assert path.read_bytes() == before
    soundfile.write(files[3], voice(0.5, 100), 16_000)
    soundfile.write(files[1], voice(0.9, 100), 16_000)
    soundfile.write(files[4], voice(0.5, 100), 16_000)
    scores = ScoreCache(path, predictor, "abc", vad=False)
    assert scores.complete(files, 1) == 3
    assert path.read_bytes().startswith(before)
    rows = scores.read(files, {"duration_s"})
    assert [rows[str(file)]["duration_s"] for file in files] == [7.0, 0.9, 1.0, 0.5, 0.5]


def test_a_killed_run_is_resumed(predictor, files, tmp_path):
    path = tmp_path / "s.jsonl"
    scores = ScoreCache(path, predictor, "abc", vad=False)
    scores.complete(files, 1)
    whole = scores.read(files, {"emotion_score"})
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b'"emotion"')])  # in the midst of a row
    torn = ScoreCache(path, predictor, "abc", vad=False)
    assert 0 < torn.complete(files, 1) < len(files)
    again = torn.read(files, {"emotion_score"})
    assert again.keys() == whole.keys()
    for file in map(str, files[:3]):
        assert again[file] == {"emotion_score": pytest.approx(whole[file]["emotion_score"], abs=1e-5)}
    path.write_bytes(content[:20])  # in the midst of the first line
    assert ScoreCache(path, predictor, "abc", vad=False).complete(files[:1], 1) == 1


def test_rows_of_other_recordings_are_left_out(predictor, files, tmp_path):
    scores = ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    scores.complete(files, 1)
    assert scores.read(files[1:2], {"gender"}).keys() == {str(files[1])}


def test_another_run_on_the_same_file_is_refused(predictor, files, tmp_path, monkeypatch):
    path = tmp_path / "s.jsonl"
    scores, other = (ScoreCache(path, predictor, "abc", vad=False) for _ in range(2))
    refusals = []

    def start_others(file):
        for start in (lambda: ScoreCache(path, predictor, "abc", vad=False), lambda: other.complete(files, 1)):
            with pytest.raises(ValueError, match=r"s\.jsonl.*--scores"):
                start()
            refusals.append(file)
        return {}

    monkeypatch.setattr("inference.curation.score_cache.measure", start_others)
    scores.complete(files[:1], 1)
    assert len(refusals) == 2
    assert other.complete(files[:1], 1) == 0
    assert not list(tmp_path.glob("*.lock"))


def test_a_row_that_another_run_left_incomplete_is_cut_before_rows_are_added(predictor, files, tmp_path):
    path = tmp_path / "s.jsonl"
    scores = ScoreCache(path, predictor, "abc", vad=False)
    with path.open("ab") as file:
        file.write(b'{"file": "')  # it was killed
    assert scores.complete(files[2:3], 1) == 1
    assert scores.read(files, set()).keys() == {str(files[2])}


@pytest.mark.slow
def test_workers_measure_the_same(predictor, files, tmp_path, monkeypatch):
    monkeypatch.setattr("inference.curation.score_cache._AT_ONCE", 3)
    one, two = (ScoreCache(tmp_path / f"{number}.jsonl", predictor, "abc", vad=False) for number in (1, 2))
    one.complete(files, 1)
    two.complete(files, 2)
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_the_scores_of_another_model_are_refused(predictor, tmp_path):
    ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    with pytest.raises(ValueError, match=r"s\.jsonl.* model abc.* def"):
        ScoreCache(tmp_path / "s.jsonl", predictor, "def", vad=False)


def test_the_scores_of_another_precision_are_refused_with_the_flag(checkpoint, predictor, tmp_path):
    ScoreCache(tmp_path / "s.jsonl", predictor, "abc")
    rounded = load_predictor(str(checkpoint), precision="bfloat16")
    with pytest.raises(ValueError, match=r"s\.jsonl.* float32, not bfloat16.*--precision"):
        ScoreCache(tmp_path / "s.jsonl", rounded, "abc")


def test_a_header_that_lacks_a_field_is_of_an_earlier_version(predictor, tmp_path):
    path = tmp_path / "s.jsonl"
    ScoreCache(path, predictor, "abc")
    header = json.loads(path.read_text())
    del header["precision"]
    path.write_text(json.dumps(header) + "\n")
    with pytest.raises(ValueError, match=r"s\.jsonl.* earlier version.* precision.*--scores") as refused:
        ScoreCache(path, predictor, "abc")
    assert "None" not in str(refused.value)


def test_scores_of_another_format_are_refused_and_stay(predictor, tmp_path):
    path = tmp_path / "s.jsonl"
    ScoreCache(path, predictor, "abc")
    header = json.loads(path.read_text())
    path.write_text(json.dumps(header | {"score_cache": 2}) + "\n")
    before = path.read_text()
    with pytest.raises(ValueError, match=r"s\.jsonl.* score_cache 2, not 3.*--scores"):
        ScoreCache(path, predictor, "abc")
    assert path.read_text() == before


@pytest.mark.parametrize("content", ["file,emotion\na.wav,sad\n", json.dumps({"file": "a.wav"}), "3"])
def test_another_file_is_not_written_to(predictor, tmp_path, content):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"mine\.csv"):
        ScoreCache(path, predictor, "abc", vad=False)
    assert path.read_text() == content


def test_a_recording_that_is_broken_after_the_models_window_has_an_error(predictor, tmp_path):
    waveform = voice(7.0, 140)
    waveform[-100:] = np.nan
    soundfile.write(tmp_path / "a.wav", waveform, 16_000, subtype="FLOAT")
    scores = ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    scores.complete([tmp_path / "a.wav"], 1)
    (row,) = scores.read([tmp_path / "a.wav"], set()).values()
    assert row == {"error": decoding_error(tmp_path / "a.wav")}
    assert "100 of 112000" in row["error"]


@pytest.fixture(scope="module")
def scored(predictor, tmp_path_factory):
    """A short recording and a long one, and the lines of their scores."""
    folder = tmp_path_factory.mktemp("scored")
    long, short = write_files(folder)[:2]
    ScoreCache(folder / "s.jsonl", predictor, "abc", vad=False).complete([short, long], 1)
    return [short, long], (folder / "s.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    "damage", [b"\0\0\0\0\n", b'\0\0\0\0{"file": "a"}\n', b'{"file": "\xff"}\n', b"[]\n", b'{"file": 1}\n', b'{"fi\n']
)
def test_a_damaged_line_is_reported_and_its_recording_is_analyzed_again(predictor, scored, tmp_path, capsys, damage):
    path = tmp_path / "s.jsonl"
    files, (mark, _, second) = scored
    path.write_bytes(mark + damage + second)
    scores = ScoreCache(path, predictor, "abc", vad=False)
    assert scores.complete(files, 1) == 1
    assert "s.jsonl: 1 line " in capsys.readouterr().err
    assert scores.read(files, {"duration_s"}).keys() == {str(file) for file in files}


def test_scores_with_and_without_speech_detection_are_not_mixed(predictor, tmp_path):
    ScoreCache(tmp_path / "s.jsonl", predictor, "abc", vad=False)
    with pytest.raises(ValueError, match="--no_vad"):
        ScoreCache(tmp_path / "s.jsonl", predictor, "abc")
