import base64
import os
import re
import time

import av
import pytest
import soundfile

from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions
from inference.web.service import Limits, Service
from modeling import AudioReader, OutputOptions
from tests.conftest import voice
from tests.support.bad_audio import decoding_error
from tests.support.piped_audio import PIPED, piped, recording


@pytest.fixture(scope="module")
def service(checkpoint):
    return Service(load_predictor(str(checkpoint)), Limits(minutes=0.1, files=3))


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "clip.wav", voice(2, 150), 16_000)
    return tmp_path / "clip.wav"


def recognize(service, file, outputs=None, timeline=None):
    shares = []
    return *service.recognize(file, outputs or OutputOptions(), timeline or TimelineOptions(), shares.append), shares


def test_a_recording_is_html_and_values(service, clip):
    html, values, shares = recognize(service, clip)
    assert 'class="recording"' in html
    assert values.keys() >= {"file", "duration_s", "speech_s", "segments"}
    assert (values["file"], values["duration_s"]) == ("clip.wav", 2.0)
    assert shares[-1] == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"outputs": OutputOptions(labels=("bored",))},
            "angry, happy, sad",
        ),
        ({"timeline": TimelineOptions(window_s=7)}, "7 s"),
    ],
)
def test_what_the_model_cannot_do_is_reported(service, clip, options, expected):
    html, values, _ = recognize(service, clip, **options)
    assert expected in values["error"]
    assert expected in html


def test_errors_name_the_file_and_not_its_folder(service, tmp_path):
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "long.wav", voice(7, 150), 16_000)
    errors = {name: recognize(service, tmp_path / name)[1]["error"] for name in ("notes.wav", "long.wav", "gone.wav")}
    assert errors["notes.wav"] == f"notes.wav: {decoding_error(tmp_path / 'notes.wav')}"
    assert errors["long.wav"].startswith("long.wav ")
    assert "6 s" in errors["long.wav"]
    assert "gone.wav" in errors["gone.wav"]
    assert not any(word in error for error in errors.values() for word in (str(tmp_path), ".py"))


def test_a_recording_whose_header_has_no_duration_is_measured(service, tmp_path):
    for name, seconds in (("short.webm", 4), ("long.webm", 8)):
        with av.open(tmp_path / name, "w", options={"live": "1"}) as container:  # as browsers write
            stream = container.add_stream("libopus", rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(voice(seconds, 150, rate=48_000)[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        with AudioReader(tmp_path / name) as audio:
            assert audio.promised_s == 0
    assert "error" not in recognize(service, tmp_path / "short.webm")[1]
    message = recognize(service, tmp_path / "long.webm")[1]["error"]
    assert "long.webm" in message
    assert "6 s" in message


def test_a_file_that_is_being_analyzed_is_in_use(service, clip):
    os.utime(clip, (0, 0))
    recognize(service, clip)
    assert time.time() - clip.stat().st_mtime < 60


def test_several_are_rows_in_their_order(service, clip, tmp_path):
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "long.wav", voice(8, 150), 16_000)
    shares = []
    html, rows = service.predict_several(
        [tmp_path / "notes.wav", tmp_path / "long.wav", clip], OutputOptions(), shares.append
    )
    assert [row["file"] for row in rows] == ["notes.wav", "long.wav", "clip.wav"]
    assert rows[0]["error"] == decoding_error(tmp_path / "notes.wav")
    assert (rows[1]["duration_s"], rows[1]["analyzed_s"]) == (8.0, 6.0)
    assert shares[-1] == 1
    assert 'class="several"' in html
    html, rows = service.predict_several([clip] * 4, OutputOptions(), shares.append)
    assert rows == []
    assert re.search("4 files.*3", html)


def test_what_a_header_promises_does_not_make_a_recording_too_long(service, tmp_path):
    codec, rate = PIPED["avi"]
    for name, seconds in (("short.avi", 5), ("long.avi", 9)):
        (tmp_path / name).write_bytes(piped(recording(seconds, rate), rate, codec, "avi"))
        with AudioReader(tmp_path / name) as audio:
            assert audio.promised_s > 60
    assert recognize(service, tmp_path / "short.avi")[1]["duration_s"] == pytest.approx(5, abs=0.1)
    assert "error" in recognize(service, tmp_path / "long.avi")[1]


def test_an_unknown_length_is_left_empty(service, tmp_path, monkeypatch):
    monkeypatch.setattr("modeling.audio_ser._COUNTED", 1000)
    codec, rate = PIPED["webm"]
    (tmp_path / "long.webm").write_bytes(piped(recording(9, rate), rate, codec, "webm"))
    html, (row,) = service.predict_several([tmp_path / "long.webm"], OutputOptions(), lambda share: None)
    assert row["duration_s"] is None
    assert "None" not in html
    assert "nan" not in html


def test_columns_of_the_table_do_not_depend_on_the_first_row(service, clip, tmp_path):
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "other.wav", 0.1 * voice(2, 250), 16_000)
    heads = set()
    for first in (clip, tmp_path / "other.wav", tmp_path / "notes.wav"):
        files = sorted([clip, tmp_path / "other.wav", tmp_path / "notes.wav"], key=lambda path: path != first)
        html, _ = service.predict_several(files, OutputOptions(), lambda share: None)
        table = base64.b64decode(re.search(r'emotions.csv" href="data:[^,]*,([^"]*)"', html)[1]).decode()
        heads.add(table.splitlines()[0])
    (head,) = heads
    scores = [column for column in head.split(",") if column.startswith("emotion")]
    assert scores == ["emotion", "emotion_score", "emotion_angry", "emotion_happy", "emotion_sad"]
