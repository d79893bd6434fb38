import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config

from modeling import load_checkpoint
from publishing.export import export_checkpoint
from tests.conftest import ROOT, voice
from tests.publishing.conftest import REPO, TOKEN

SHARED = {
    *("LICENSE", "README.md", "config.json", "metrics.json", "model.safetensors", "preprocessor_config.json"),
    *("audio_ser.py", "configuration_ser.py", "containers_ser.py", "heads_ser.py", "multitask_ser.py"),
    *("pipeline_ser.py", "tasks_ser.py"),
}
FILES = {
    "wav2vec2": {"modeling_wav2vec2_ser.py", "figures/confusion.png", "figures/calibration_emotion.png"},
    "wav2vec2_layer_sum": {"modeling_wav2vec2_layer_sum_ser.py", "modeling_wav2vec2_ser.py"},
    "panns": {"modeling_panns_ser.py", "logmel_ser.py"},
}


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """Architecture to its exported folder."""
    folders = {name: tmp_path_factory.mktemp("exported") / "repo" for name in trained}
    for name, checkpoint in trained.items():
        files = export_checkpoint(checkpoint, folders[name], REPO)
        assert files == sorted(path for path in folders[name].rglob("*") if path.is_file())
    return folders


@pytest.fixture
def copy(trained, tmp_path):
    """A checkpoint to spoil."""
    return shutil.copytree(trained["panns"], tmp_path / "run")


@pytest.mark.parametrize("architecture", FILES)
def test_these_files_are_published_and_no_other(exported, architecture):
    folder = exported[architecture]
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == SHARED | FILES[architecture]
    for name in names:
        if name.endswith(".py"):
            assert (folder / name).read_bytes() == (ROOT / "modeling" / name).read_bytes()


@pytest.mark.parametrize("architecture", FILES)
def test_no_file_names_the_machine_or_a_token(exported, trained, architecture):
    home = f"{Path.home()}/"
    secrets = [trained[architecture].parent.parent, exported[architecture].parent, ROOT, home, TOKEN]
    for path in exported[architecture].rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [str(secret) for secret in secrets if str(secret).encode() in content] == [], path


@pytest.mark.parametrize("architecture", FILES)
def test_configuration_and_metrics_name_the_repository_alone(exported, trained, architecture):
    config = json.loads((exported[architecture] / "config.json").read_text(encoding="utf-8"))
    model_file = next(name for name in sorted(FILES[architecture]) if name.startswith("modeling_"))[:-3]
    assert {name: value.partition(".")[0] for name, value in config["auto_map"].items()} == {
        "AutoConfig": "configuration_ser",
        "AutoModel": model_file,
        "AutoModelForAudioClassification": model_file,
    }
    assert not config.get("_name_or_path")
    before = json.loads((trained[architecture] / "config.json").read_text(encoding="utf-8"))
    same = before.keys() - {"auto_map", "_name_or_path", "transformers_version"}
    assert {name: config[name] for name in same} == {name: before[name] for name in same}
    metrics = json.loads((exported[architecture] / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["checkpoint"] == REPO
    assert metrics["tasks"] == json.loads((trained[architecture] / "metrics.json").read_text())["tasks"]


def test_weights_are_linked_and_copied_where_they_cannot_be(trained, exported, tmp_path, monkeypatch):
    source = trained["panns"] / "model.safetensors"
    assert (exported["panns"] / "model.safetensors").samefile(source)

    def fail(*_):
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", fail)
    export_checkpoint(trained["panns"], tmp_path / "repo", REPO)
    assert not (tmp_path / "repo" / "model.safetensors").samefile(source)
    assert (tmp_path / "repo" / "model.safetensors").read_bytes() == source.read_bytes()


def test_shards_come_with_their_index(copy, tmp_path):
    model, _ = load_checkpoint(copy)
    (copy / "model.safetensors").unlink()
    model.save_pretrained(copy, max_shard_size="20KB")
    shards = {path.name for path in copy.glob("model-*.safetensors")}
    assert len(shards) > 1
    export_checkpoint(copy, tmp_path / "repo", REPO)
    assert {path.name for path in (tmp_path / "repo").glob("model*")} - {"modeling_panns_ser.py"} == {
        *shards,
        "model.safetensors.index.json",
    }
    load_checkpoint(tmp_path / "repo")
    next(iter(copy.glob("model-*"))).unlink()
    with pytest.raises(ValueError, match="it has no model-"):
        export_checkpoint(copy, tmp_path / "other", REPO)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("metrics.json", r"never evaluated: run `evaluate.py .*run --data DIR"),
        ("training.json", "has no training.json: what it was trained on is not known"),
        ("model.safetensors", "not a whole checkpoint: it has no model.safetensors"),
        ("config.json", "not a checkpoint"),
        ("preprocessor_config.json", "no whole checkpoint: take the folder that training ended with"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(copy, tmp_path, lost, message):
    (copy / lost).unlink()
    with pytest.raises(ValueError, match=message):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    assert not (tmp_path / "repo").exists()


def test_what_is_broken_or_of_another_kind_is_refused(copy, tmp_path):
    metrics = json.loads((copy / "metrics.json").read_text())
    unlabelled = {**metrics, "main_task": "gender", "tasks": {"gender": {"clips": 0}}}
    (copy / "metrics.json").write_text(json.dumps(unlabelled))
    with pytest.raises(ValueError, match="no clip of its evaluation has a label for gender"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    del metrics["without_clips"]
    (copy / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match=r"of another version .*without_clips.*evaluate it again"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    (copy / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match="is not a JSON file"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    config = json.loads((copy / "config.json").read_text())
    config["tasks"] = config["tasks"][:2]
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="holds the heads"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a whole file of weights"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    Wav2Vec2Config().save_pretrained(copy)
    with pytest.raises(ValueError, match="'wav2vec2' checkpoint, not one that train"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    assert not (tmp_path / "repo").exists()


def test_a_folder_that_holds_files_is_left_alone(trained, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match="holds files already"):
        export_checkpoint(trained["panns"], tmp_path, REPO)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# What a stranger has: transformers, torch, numpy and what they bring.
STRANGER = """
import sys
ABSENT = "soundfile soxr av librosa scipy sklearn datasets pandas evaluate accelerate matplotlib numba joblib optuna"
PROJECT = "modeling preprocessing evaluation training inference publishing tests"
for name in (ABSENT + " " + PROJECT).split():
    sys.modules[name] = None
import json
import re
import numpy as np
import torch
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification, pipeline
clip, *folders = sys.argv[1:]
sound = np.load(clip)
answers = []
for folder in folders:
    trusted = {"trust_remote_code": True}
    answer = {"refused": []}
    for load in (
        lambda: pipeline(model=folder),
        lambda: pipeline("audio-classification", model=folder),
        lambda: AutoConfig.from_pretrained(folder),
        lambda: AutoModel.from_pretrained(folder),
        lambda: AutoModelForAudioClassification.from_pretrained(folder),
    ):
        try:
            answer["refused"].append(f"not refused: {load()}")
        except Exception as error:
            answer["refused"].append(str(error))
    features = AutoFeatureExtractor.from_pretrained(folder)
    answer["config"] = AutoConfig.from_pretrained(folder, **trusted).model_type
    inputs = features(sound, sampling_rate=16000, return_tensors="pt")
    for auto in (AutoModel, AutoModelForAudioClassification):
        model = auto.from_pretrained(folder, **trusted)
        with torch.no_grad():
            answer[auto.__name__] = {name: x[0].tolist() for name, x in model(**inputs).task_logits.items()}
    recognise = pipeline(model=folder, **trusted)
    answer["heads"] = recognise(sound)
    answer["stock"] = pipeline("audio-classification", model=folder, **trusted)(sound, top_k=None)
    for name, source in (("path", clip), ("rate", {"array": sound, "sampling_rate": 44100})):
        try:
            recognise(source)
        except ImportError as error:
            answer[name] = str(error)
    card = open(f"{folder}/README.md", encoding="utf-8").read()
    example = re.search(r"```python\\n(.*?)```", card, re.DOTALL)[1]
    assert "org/name" in example
    exec(compile(example.replace("org/name", folder), "card", "exec"), {})
    answers.append(answer)
assert not [name for name in (ABSENT + " " + PROJECT).split() if sys.modules.get(name) is not None]
print(json.dumps(answers))
"""


def test_a_stranger_loads_every_architecture_with_transformers_torch_and_numpy(exported, trained, tmp_path):
    sound = voice(1.5, 140)
    np.save(tmp_path / "clip.npy", sound)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", STRANGER, str(tmp_path / "clip.npy"), *map(str, exported.values())]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for answer, checkpoint in zip(json.loads(done.stdout.splitlines()[-1]), trained.values(), strict=True):
        model, _ = load_checkpoint(shutil.copytree(checkpoint, tmp_path / checkpoint.parent.name))
        with torch.no_grad():
            logits = model(torch.from_numpy(sound)[None]).task_logits
        assert answer["config"] == model.config.model_type
        for auto in ("AutoModel", "AutoModelForAudioClassification"):
            for name, values in logits.items():
                assert answer[auto][name] == pytest.approx(values[0].tolist(), abs=1e-6)
        emotion, gender, pitch = model.config.get_tasks()
        for scores, task in (
            (answer["heads"]["emotion"], emotion),
            (answer["heads"]["gender"], gender),
            (answer["stock"], emotion),
        ):
            expected = dict(zip(task.labels, task.decode(logits[task.name])[0].tolist(), strict=True))
            assert {entry["label"]: entry["score"] for entry in scores} == pytest.approx(expected, abs=1e-6)
        value = pitch.decode(logits["f0_mean"]).item()
        assert answer["heads"]["f0_mean"]["value"] == pytest.approx(value, rel=1e-6)
        assert answer["path"] == "reading audio files needs `soundfile`: pip install soundfile soxr"
        assert answer["rate"] == "resampling needs `soxr`: pip install soundfile soxr"
        assert len(answer["refused"]) == 5
        assert [text for text in answer["refused"] if not re.search("trust_remote_code", text)] == []
