import json
import shutil
from threading import Event

import numpy as np
import pytest
import soundfile

from common.checkpoint import load_checkpoint
from inference.batch.predict import PredictionRequest, predict_files
from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions, build_timeline, timeline_rows
from inference.timeline.voice_activity import find_speech
from modeling import OutputOptions, SpeechEmotionPipeline
from tests.conftest import TASKS, voice
from tests.support.speech_sounds import babble

NO_VAD = PredictionRequest(vad=False)  # the clips are buzzes, not speech


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return load_predictor(str(checkpoint))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for index, seconds in enumerate((7.5, 0.3, 2.0, 1.1, 0.02, 4.0)):
        rate = (16_000, 44_100, 8_000)[index % 3]
        soundfile.write(folder / f"{index}.flac", voice(seconds, 90 + 20 * index, index, rate), rate)
    return sorted(str(path) for path in folder.iterdir())


@pytest.fixture
def broken(tmp_path, clips):
    """Files that cannot be read, each for another reason."""
    files = {
        name: tmp_path / name for name in ("text.wav", "empty.mp3", "cut.flac", "nan.wav", "folder.wav", "gone.wav")
    }
    files["text.wav"].write_text("no sound")
    files["empty.mp3"].touch()
    whole = shutil.copy(clips[0], files["cut.flac"]).read_bytes()
    files["cut.flac"].write_bytes(whole[:60])
    soundfile.write(files["nan.wav"], np.full(8000, np.nan, np.float32), 16_000, subtype="FLOAT")
    files["folder.wav"].mkdir()
    return [str(path) for path in files.values()]


def rows_of(predictor, files, request=NO_VAD):
    predicted = list(predict_files(predictor, files, request))
    assert sorted(file for file, _ in predicted) == sorted(files)
    return dict(predicted)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_every_clip_gets_the_pipelines_outputs_once(checkpoint, clips, batch_size):
    model, feature_extractor = load_checkpoint(checkpoint)
    recognize = SpeechEmotionPipeline(model, feature_extractor=feature_extractor, vad=False)
    predicted = rows_of(load_predictor(str(checkpoint), batch_size=batch_size), clips)
    for file in clips:
        (row,) = predicted[file]
        expected = recognize(file)
        assert list(row) == ["file", *expected]
        assert (row["file"], row["duration_s"], row["analyzed_s"]) == (
            file,
            expected["duration_s"],
            expected["analyzed_s"],
        )
        for task in TASKS[:2]:
            scores = {entry["label"]: entry["score"] for entry in expected[task.name]}
            assert {entry["label"]: entry["score"] for entry in row[task.name]} == pytest.approx(scores, abs=1e-5)
        assert row["f0_mean"]["value"] == pytest.approx(expected["f0_mean"]["value"], abs=5e-3)


def test_a_file_that_cannot_be_read_has_a_row_with_an_error_without_its_name(predictor, clips, broken):
    predicted = rows_of(predictor, [*broken, *clips])
    for file in broken:
        (row,) = predicted[file]
        assert row.keys() == {"file", "error"}
        assert row["error"]
        assert not row["error"].startswith(file)
    assert all("error" not in predicted[file][0] for file in clips)
    json.dumps(predicted, allow_nan=False)


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("float division by zero")])
def test_a_decoder_that_fails_in_an_odd_way_fails_for_that_file_alone(predictor, clips, monkeypatch, error):
    def read(audio, *stretch):
        if audio.name == clips[1]:
            raise error
        return voice(1.0, 150)

    monkeypatch.setattr("inference.batch.predict.AudioReader.read", read)
    predicted = rows_of(predictor, clips)
    assert [file for file in clips if "error" in predicted[file][0]] == [clips[1]]
    assert predicted[clips[1]][0]["error"] in ("MemoryError", "float division by zero")


def test_an_error_of_the_model_ends_the_run(predictor, clips, monkeypatch):
    def forward(*batch):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(predictor, "_backend", forward)
    with pytest.raises(RuntimeError, match="out of memory"):
        rows_of(predictor, clips)


def test_files_are_opened_a_bounded_number_ahead(checkpoint, clips):
    opened = []
    predictor = load_predictor(str(checkpoint), batch_size=1)
    results = predict_files(predictor, (opened.append(0) or clips[1] for _ in range(200)), NO_VAD)
    next(results)
    assert 16 <= len(opened) <= 33
    results.close()


def test_outputs_are_formatted_by_the_request(predictor, clips):
    request = PredictionRequest(OutputOptions(top_k=1, labels=("sad", "angry"), uncertain_below=1.0), vad=False)
    ((row,),) = rows_of(predictor, clips[:1], request).values()
    assert len(row["emotion"]) == 1
    assert row["emotion"][0]["label"] in ("sad", "angry")
    assert row["uncertain"] is True


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """A call of two who speak in turn, as a switchboard records it: 8 kHz, a channel each."""
    speech, silence = babble(3.0, 8000), np.zeros(24_000)
    file = tmp_path_factory.mktemp("calls") / "call.wav"
    soundfile.write(file, np.stack([np.r_[speech, silence], np.r_[silence, speech]], axis=1), 8000)
    return str(file)


def test_a_timeline_gives_a_row_per_segment(predictor, call):
    options = TimelineOptions(window_s=1.0, hop_s=0.5, channels="each")
    (rows,) = rows_of(predictor, [call], PredictionRequest(timeline=options)).values()
    timeline = build_timeline(predictor, call, options)
    segments = timeline_rows(timeline, predictor.tasks, predictor.main_task, OutputOptions())
    assert {segment["channel"] for segment in segments} == {0, 1}
    whole = {"duration_s": 6.0, "speech_s": timeline.speech_s}
    assert rows == [{"file": call, **segment, **whole} for segment in segments]


def test_a_recording_without_speech_and_one_that_cannot_be_read_have_a_row_each(predictor, call, broken, tmp_path):
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(16_000), 8000)
    predicted = rows_of(predictor, [call, str(silence), *broken], PredictionRequest(timeline=TimelineOptions()))
    assert predicted[str(silence)] == [{"file": str(silence), "duration_s": 2.0, "speech_s": 0.0}]
    assert "emotion" in predicted[call][0]
    for file in broken:
        ((error,),) = [predicted[file]]
        assert error.keys() == {"file", "error"}


def test_who_stops_does_not_wait_for_the_recordings_in_hand(predictor, call, tmp_path, monkeypatch):
    speech, rate = soundfile.read(call)
    film = tmp_path / "film.wav"
    soundfile.write(film, np.tile(speech, (40, 1)), rate)  # of four minutes, which are blocks of one
    processed, first = [], Event()

    def watched(blocks):
        for block in blocks:
            processed.append(block)
            first.set()
            yield block

    monkeypatch.setattr("inference.timeline.build.find_speech", lambda blocks, find=find_speech: find(watched(blocks)))

    def files():
        yield str(film)
        first.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(predict_files(predictor, files(), PredictionRequest(timeline=TimelineOptions())))
    assert 1 <= len(processed) < 4


def test_how_far_a_single_timeline_is_can_be_followed(predictor, call):
    shares = []
    list(predict_files(predictor, [call], PredictionRequest(timeline=TimelineOptions()), report=shares.append))
    assert shares[-1] == 1


def test_a_request_that_the_model_cannot_fulfil_is_refused(predictor):
    with pytest.raises(ValueError, match="'bored'"):
        PredictionRequest(OutputOptions(labels=("bored",))).check(predictor)
    with pytest.raises(ValueError, match=r"window_s.* 6 s.* 8 s"):
        PredictionRequest(timeline=TimelineOptions(window_s=8.0)).check(predictor)
