import json
import os
import subprocess
import sys

import pytest
import torch

from modeling import PannsForMultiTaskSER, Wav2Vec2ForMultiTaskSER
from modeling.modeling_base_ser import read_config_file
from tests.conftest import TASKS, tiny_config, voice
from tests.support.small_models import panns_config

LOAD_ELSEWHERE = """
import sys
sys.modules["modeling"] = sys.modules["preprocessing"] = None  # nothing of the project may be needed
import json, torch
from transformers import AutoModel, AutoModelForAudioClassification, pipeline
clip, *folders = sys.argv[1:]
waveform = torch.load(clip, weights_only=True)
for folder in folders:
    autos = (AutoModel, AutoModelForAudioClassification)
    models = [auto.from_pretrained(folder, trust_remote_code=True) for auto in autos]
    predictions = [model(waveform[None]).logits.softmax(-1)[0].tolist() for model in models]
    entries = pipeline(model=folder, trust_remote_code=True)(waveform.numpy(), vad=False)["emotion"]
    scores = {entry["label"]: entry["score"] for entry in entries}
    print(json.dumps([*predictions, [scores[label] for label in models[0].config.label2id]]))
"""


@pytest.mark.slow
def test_every_architecture_loads_elsewhere_with_transformers_alone(feature_extractor, tmp_path):
    """The other encoders are loaded so in test_encoders.py."""
    torch.manual_seed(0)
    clip = torch.from_numpy(voice(1.0, 150))
    torch.save(clip, tmp_path / "clip.pt")
    models = [
        PannsForMultiTaskSER(panns_config()),
        Wav2Vec2ForMultiTaskSER(tiny_config(layer_weights=True, dense_layers=[8])),
    ]
    for number, model in enumerate(models):
        model.eval().save_pretrained(tmp_path / str(number))
        feature_extractor.save_pretrained(tmp_path / str(number))
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": ""}
    command = [sys.executable, "-c", LOAD_ELSEWHERE, *(str(tmp_path / name) for name in ("clip.pt", "0", "1"))]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for model, line in zip(models, done.stdout.splitlines()[-2:], strict=True):
        expected = model(clip[None]).logits.softmax(-1)[0].tolist()
        for scores in json.loads(line):
            assert scores == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("model_class", [PannsForMultiTaskSER, Wav2Vec2ForMultiTaskSER])
def test_a_checkpoint_that_is_not_whole_is_rejected(model_class, tmp_path):
    config = panns_config() if model_class is PannsForMultiTaskSER else tiny_config()
    model = model_class(config)
    del model.heads["gender"]
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"2 missing keys \(heads.gender.bias"):
        model_class.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, r"x\.json"),
        ("{", "JSON"),
        ("[1]", "JSON object"),
        ('{"hidden_size": 8}', "None.*'wav2vec2'"),
        ('{"model_type": "hubert"}', "'hubert'.*'wav2vec2'"),
    ],
)
def test_a_config_file_of_another_network_is_rejected(tmp_path, content, named):
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    with pytest.raises(ValueError, match=named):
        read_config_file(tmp_path / "x.json", "wav2vec2")


def test_a_config_file_without_its_type_is_a_dict_of_fields(tmp_path):
    (tmp_path / "x.json").write_text('{"model_type": "wav2vec2", "hidden_size": 8}')
    assert read_config_file(tmp_path / "x.json", "wav2vec2") == {"hidden_size": 8}


def test_tasks_are_needed_to_start_from_a_config_file(tmp_path):
    (tmp_path / "x.json").write_text('{"model_type": "panns_multitask_ser", "channels": [4, 4, 4, 4, 4, 4]}')
    assert PannsForMultiTaskSER.from_config_file(tmp_path / "x.json", TASKS).config.get_tasks() == TASKS
    with pytest.raises(ValueError, match="tasks"):
        PannsForMultiTaskSER.from_config_file(tmp_path / "x.json", ())
