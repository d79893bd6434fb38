import json
import shutil

import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2Model

from inference.files import format_answer, format_table, load_pipeline, predict_files
from modeling import SpeechEmotionPipeline, load_audio
from tests.conftest import TASKS, TINY, voice


@pytest.fixture(scope="module")
def recognise(checkpoint):
    return load_pipeline(str(checkpoint))


@pytest.fixture
def clips(tmp_path):
    """Three recordings, with a file that is none and one that is missing between them."""
    paths = [tmp_path / name for name in ("long.wav", "noise.wav", "short.flac", "missing.wav", "low.ogg")]
    soundfile.write(paths[0], voice(7.5, 140, 0), 16_000)
    paths[1].write_bytes(b"this is no sound")
    soundfile.write(paths[2], voice(0.3, 220, 1, rate=44_100), 44_100)
    soundfile.write(paths[4], voice(2.0, 90, 2), 16_000)
    return paths


@pytest.fixture
def broken(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "broken")


ANSWER = {
    "file": "clip.wav",
    "emotion": [{"label": "happy", "score": 0.875}, {"label": "angry", "score": 0.125}],
    "valence": {"value": -0.25, "unit": ""},
    "f0_mean": {"value": 181.26, "unit": "Hz"},
    "duration_s": 7.5,
    "heard_s": 6.0,
}
ERROR = {"file": "other.wav", "error": "not a sound"}


def test_every_file_gets_an_answer_or_an_error_in_order(recognise, clips):
    answers = list(predict_files(recognise, clips))
    assert [answer["file"] for answer in answers] == [str(path) for path in clips]
    assert ["error" in answer for answer in answers] == [False, True, False, True, False]
    for answer in (answers[0], answers[2], answers[4]):
        assert answer.keys() == {"file", *(task.name for task in TASKS), "duration_s", "heard_s"}
    assert (answers[0]["duration_s"], answers[0]["heard_s"]) == (7.5, 6.0)
    assert answers[1].keys() == {"file", "error"}
    assert "not an audio or video file" in answers[1]["error"]
    assert "No such file" in answers[3]["error"]
    assert json.loads(json.dumps(answers, allow_nan=False)) == answers


def test_the_answers_come_one_by_one(recognise, clips):
    asked = []
    answers = predict_files(recognise, (asked.append(path) or path for path in clips))
    next(answers)
    assert asked == clips[:1]


def test_an_answer_is_the_models_for_the_clip_alone(recognise, clips, tiny_model):
    heard = [clips[index] for index in (0, 2, 4)]
    for path, answer in zip(heard, predict_files(recognise, heard), strict=True):
        with torch.no_grad():
            logits = tiny_model(torch.from_numpy(load_audio(path))[None]).task_logits
        for task in TASKS[:2]:
            expected = dict(zip(task.labels, task.decode(logits[task.name])[0].tolist(), strict=True))
            assert {entry["label"]: entry["score"] for entry in answer[task.name]} == pytest.approx(expected, abs=1e-5)
        expected = TASKS[2].decode(logits["f0_mean"]).item()
        assert answer["f0_mean"]["value"] == pytest.approx(expected, abs=1e-4 * TASKS[2].std)


def test_a_checkpoint_is_loaded_with_this_projects_code(recognise, broken):
    assert type(recognise) is SpeechEmotionPipeline
    for file in broken.glob("*.py"):
        file.write_text("raise RuntimeError('the code of a checkpoint ran')\n")
    assert type(load_pipeline(str(broken))) is SpeechEmotionPipeline


def test_what_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="nowhere is not a checkpoint"):
        load_pipeline(str(tmp_path / "nowhere"))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"is not a checkpoint: .* not a valid JSON file"):
        load_pipeline(str(tmp_path))
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path / "backbone")
    with pytest.raises(ValueError, match=r"backbone is a 'wav2vec2' checkpoint, not one that train\.py wrote"):
        load_pipeline(str(tmp_path / "backbone"))


def test_a_head_without_weights_is_an_error_that_names_it(broken):
    weights = load_file(broken / "model.safetensors")
    del weights["heads.gender.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"1 missing keys \(heads\.gender\.weight\)") as error:
        load_pipeline(str(broken))
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize("file", ["model.safetensors", "preprocessor_config.json"])
def test_a_checkpoint_that_lacks_a_file_is_an_error_that_the_script_can_show(broken, file):
    (broken / file).unlink()
    with pytest.raises(ValueError, match="broken") as error:
        load_pipeline(str(broken))
    assert "Traceback" not in str(error.value)


def test_one_answer_in_full():
    first, *heads = format_answer(ANSWER).splitlines()
    assert first == "clip.wav: 7.50 s, of which the model heard 6.00 s"
    assert [head.split() for head in heads] == [
        ["emotion", "happy", "0.875", "angry", "0.125"],
        ["valence", "-0.25"],
        ["f0_mean", "181.3", "Hz"],
    ]
    assert format_answer(ERROR) == "other.wav: not a sound"


def test_an_error_names_its_file_once(recognise, clips):
    (answer,) = predict_files(recognise, [clips[1]])
    assert format_answer(answer).count(str(clips[1])) == 1


def test_a_table_has_a_row_per_file_and_a_column_per_head():
    header, *rows = format_table([ANSWER, ERROR]).splitlines()
    assert header.split() == ["file", "emotion", "valence", "f0_mean", "duration_s", "heard_s", "error"]
    assert rows[0].split() == ["clip.wav", "happy", "0.88", "-0.25", "181.3", "Hz", "7.50", "6.00"]
    assert rows[1].split() == ["other.wav", "not", "a", "sound"]
    for name, cell in (("emotion", "happy"), ("f0_mean", "181.3"), ("heard_s", "6.00")):
        assert header.index(name) == rows[0].index(cell)
    assert header.index("error") == rows[1].index("not a sound")


def test_a_table_of_errors_alone():
    assert [line.split() for line in format_table([ERROR]).splitlines()] == [
        ["file", "error"],
        ["other.wav", "not", "a", "sound"],
    ]
