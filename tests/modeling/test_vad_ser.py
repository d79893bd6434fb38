import subprocess
import sys

import numpy as np
import pytest

from inference.timeline.voice_activity import find_speech
from modeling import load_audio, vad_ser
from modeling.vad_ser import FRAME, SpeechProbabilities, find_regions, measure_speech
from tests.conftest import ROOT, TASKS
from tests.support.speech_sounds import NO_SPEECH, SPEECH


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_noise_holds_no_speech_however_loud(kind):
    for gain in (1, 0.01):
        assert measure_speech((NO_SPEECH[kind] * gain).astype(np.float32)) == 0.0


@pytest.mark.parametrize("gain", [1, 0.03, 0.001])
def test_speech_is_found_however_soft(gain):
    assert 0 < measure_speech(SPEECH * np.float32(gain)) <= 3.0


@pytest.mark.parametrize("silence_s", [0.0, 1.0, 57.0])
def test_a_recording_read_in_a_block_has_the_regions_of_the_clip(silence_s):
    waveform = np.concatenate([SPEECH, np.zeros(round(silence_s * 16_000), np.float32)])
    regions = []
    for part in find_speech([waveform]):
        regions.append([part.start, part.start + part.waveform.size])
    assert sum(end - start for start, end in regions) == sum(end - start for start, end in find_regions(waveform))


def test_onnx_runtime_computes_the_probabilities_of_pytorch(monkeypatch):
    expected = SpeechProbabilities()(SPEECH)
    monkeypatch.setattr(vad_ser, "_load_torch", vad_ser._load_onnx)
    probabilities = SpeechProbabilities()
    found = [
        value for start in range(0, SPEECH.size, 7 * FRAME) for value in probabilities(SPEECH[start:][: 7 * FRAME])
    ]
    assert max(expected) > 0.5
    assert found == pytest.approx(expected, abs=1e-5)


WITHOUT = """
import sys
sys.modules["silero_vad"] = None
import numpy as np
from common.checkpoint import load_checkpoint
from modeling import SpeechEmotionPipeline
model, feature_extractor = load_checkpoint(sys.argv[1])
recognize = SpeechEmotionPipeline(model, feature_extractor=feature_extractor)
predictions = [recognize(np.zeros(16000, np.float32)) for _ in range(3)]
print([row["speech_s"] for row in predictions], [len(row["emotion"]) for row in predictions])
"""


@pytest.mark.slow
def test_without_silero_vad_it_predicts_and_warns_once(checkpoint):
    command = [sys.executable, "-c", WITHOUT, str(checkpoint)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    count = len(TASKS[0].labels)
    assert done.stdout.splitlines()[-1] == f"[None, None, None] [{count}, {count}, {count}]"
    assert done.stderr.count("silero") == 2  # one warning, with the package and how to install it


@pytest.mark.slow
def test_every_real_clip_has_speech(real_audio, real_speech):
    """Shouts, shrieks and whispers among them."""
    files = sorted([*real_audio.rglob("*.wav"), *real_speech.rglob("*.wav")])
    chosen = files[::29] + [file for file in files if "Actor_06" in file.parts and file.name[9:11] == "02"]
    assert len(chosen) > 100
    assert [file for file in chosen if measure_speech(load_audio(file, end_s=6.0)) == 0] == []
