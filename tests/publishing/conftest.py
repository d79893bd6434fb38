"""Checkpoints as training leaves them, with other files that must not be published, and a Hub on this machine.

The real client is set to it by the settings that its environment variables would make.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from common.checkpoint import load_checkpoint
from common.checkpoint_files import weights_sha256
from evaluation.reporting.paper import BEST
from modeling import PannsForMultiTaskSER
from tests.conftest import ROOT, voice
from tests.support.evaluations import evaluated
from tests.support.loopback_hub import Hub, serve
from tests.support.small_models import FAMILIES, build, panns_config

REPO = "org/name"
TOKEN = "hf_thisIsNoTokenButLooksLikeOne"
OPEN = {"license": "CC BY 4.0", "commercial": True, "redistributable": True}
NON_COMMERCIAL = {"license": "CC BY-NC-SA 4.0", "commercial": False, "redistributable": True}
RESEARCH = {"license": "research only", "commercial": False, "redistributable": False}
OWN = {"license": "not stated", "commercial": None, "redistributable": None, "title": None, "homepage": None}
# What is published: of every architecture, and of each.
SHARED = {
    *("LICENSE", "README.md", "config.json", "metrics.json", "model.safetensors", "preprocessor_config.json"),
    *(
        "training.json",
        "outputs_ser.py",
        "audio_ser.py",
        "batching_ser.py",
        "configuration_ser.py",
        "audio_pyav_ser.py",
    ),
    *("audio_array_ser.py", "audio_channels_ser.py", "audio_ogg_ser.py", "audio_resampling_ser.py"),
    *(
        "modeling_heads_ser.py",
        "modeling_base_ser.py",
        "pipeline_ser.py",
        "audio_remote_ser.py",
        "audio_libsndfile_ser.py",
        "tasks_ser.py",
    ),
    *("cpu_convolutions_ser.py", "vad_ser.py"),
}
WAVEFORM_FILES = ("modeling_encoder_ser.py", "modeling_waveform_encoder_ser.py", "masked_group_norm_ser.py")
FILES = {
    "wav2vec2": {
        *(*WAVEFORM_FILES, "modeling_wav2vec2_ser.py"),
        *("figures/confusion.png", "figures/calibration_emotion.png"),
    },
    "hubert": {*WAVEFORM_FILES, "modeling_hubert_ser.py"},
    "wavlm": {*WAVEFORM_FILES, "modeling_wavlm_ser.py"},
    "unispeech-sat": {*WAVEFORM_FILES, "modeling_unispeech_sat_ser.py"},
    "data2vec-audio": {
        *WAVEFORM_FILES,
        *("modeling_data2vec_audio_ser.py", "masked_positional_convolution_ser.py"),
    },
    "wav2vec2-bert": {
        *WAVEFORM_FILES,
        *("modeling_wav2vec2_bert_ser.py", "feature_extraction_filter_bank_ser.py"),
    },
    "whisper": {"modeling_encoder_ser.py", "modeling_whisper_ser.py", "feature_extraction_whisper_ser.py"},
    "panns": {"modeling_panns_ser.py", "feature_extraction_logmel_ser.py"},
}
URL_PATH = "/{repo_id}/resolve/{revision}/{filename}"  # of a file; the client puts it together when it is imported


def corpus(name, license=OPEN, **fields):
    its = {"corpus": name, "title": name.upper(), "homepage": f"https://{name}.org", "clips": 1200, "hours": 1.25}
    return {**its, **license, **fields}


def training_record(*data, **fields):
    """`training.json`, in the form that tests/training/test_record.py asserts."""
    return {
        "data": list(data) or [corpus("emodb"), corpus("mine", OWN)],
        "merged_labels": {},
        "locales": ["de-DE", "zh-Hans"],
        "protocol": "paper",
        "seed": 42,
        "start": "random weights",
        "base_model": None,
        "revision": None,
        "before": None,
        "parameters": {"all": 23_456, "trained": 12_345},
        "augmentation": None,
        "corpus_sampling": None,
        "epochs": 10.0,
        "learning_rate": 1e-4,
        "fine_tuning": {"head_learning_rate": 1e-4, "layer_decay": 1.0, "lora_rank": 0},
        "weight_decay": 0.0,
        "batch_size": 32,
        "precision": "float32",
        "hardware": {"device": "CPU, threads: 2", "processes": 1},
        "seconds": 133.2,
        "versions": {"torch": "2.13.0"},
        **fields,
    }


@pytest.fixture(scope="session")
def evaluation():
    return evaluated(BEST, absent=("happy",), versions={"torch": "2.13.0"})


@pytest.fixture
def metrics(evaluation) -> dict:
    return json.loads(json.dumps(evaluation.report))


@pytest.fixture(scope="session")
def trained(_tiny_model, feature_extractor, evaluation, tmp_path_factory) -> dict[str, Path]:
    """Architecture to its checkpoint."""
    torch.manual_seed(0)
    models = {
        **{name: build(family) for name, family in FAMILIES.items()},
        "wav2vec2": _tiny_model,
        "panns": PannsForMultiTaskSER(panns_config()).eval(),
    }
    folders = {}
    for name, model in models.items():
        folder = tmp_path_factory.mktemp("trained") / "run"
        model.save_pretrained(folder)
        feature_extractor.save_pretrained(folder)
        if name == "wav2vec2":  # the others have no figures
            (folder / "figures").mkdir()
            for figure in ("confusion.png", "confusion_gender.png", "calibration_emotion.png", "mine.png"):
                (folder / "figures" / figure).write_bytes(b"\x89PNG")
        report = {
            **evaluation.report,
            "checkpoint": str(folder),
            "weights_sha256": weights_sha256(folder),
        }
        (folder / "metrics.json").write_text(json.dumps(report), encoding="utf-8")
        (folder / "training.json").write_text(json.dumps(training_record()), encoding="utf-8")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["_name_or_path"] = str(folder)
        config["auto_map"] = {auto: f"another/repo--{value}" for auto, value in config["auto_map"].items()}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "checkpoint-1").mkdir()
        for other in ("optimizer.pt", "training_args.bin", "train_config.yaml", "training_clips.txt"):
            (folder / other).write_text(f"{folder} {TOKEN}")
        for other in (".env", "predictions.csv", "checkpoint-1/model.safetensors", "modeling_heads_ser.py", "more.py"):
            (folder / other).write_text(TOKEN)
        folders[name] = folder
    return folders


def connect(monkeypatch: pytest.MonkeyPatch, server: Hub) -> None:
    """Sets this process's client to a server."""
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + URL_PATH)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture
def token(monkeypatch, tmp_path):
    """Sets the token, or with `None` logs out."""

    def use(value: str | None) -> None:
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-log-in"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        if value:
            monkeypatch.setenv("HF_TOKEN", value)

    return use


@pytest.fixture
def hub(monkeypatch, tmp_path, token) -> Hub:
    with serve(tmp_path / "hub") as server:
        connect(monkeypatch, server)
        token("hf_writer")
        yield server
    assert server.unknown == []


@pytest.fixture
def no_waits(monkeypatch):
    """The client's retries without the seconds between them."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.fixture
def publication(tmp_path) -> Path:
    """A small folder as an export leaves it."""
    return write_publication(tmp_path / "publication", "first")


def write_publication(folder: Path, weights: str) -> Path:
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, text in {
        "README.md": "---\nlicense: apache-2.0\npipeline_tag: audio-classification\n---\n# A model\n",
        "config.json": '{"model_type": "wav2vec2_multitask_ser"}',
        "configuration_ser.py": "# code\n",
        "figures/confusion.png": "pixels",
        "metrics.json": '{"f1": 0.5}',
        "model.safetensors": weights,
    }.items():
        (folder / name).write_text(text)
    return folder


def load_elsewhere(hub: Hub, folder: Path, *repos) -> list[dict]:
    """The outputs of untrusted_checkpoint.py for folders and Hub ids, in a fresh process with an empty cache."""
    np.save(folder / "clip.npy", voice(1.5, 140))
    environment = {
        **os.environ,
        **{"HF_HOME": str(folder / "home_elsewhere"), "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_writer"},
        **{"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "PYTHONPATH": "", "PYTHONSAFEPATH": "1"},
        "OMP_NUM_THREADS": "1",
    }
    script = ROOT / "tests/support/untrusted_checkpoint.py"
    command = [sys.executable, script, folder / "clip.npy", *repos]
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check_loaded(loaded: dict, checkpoint: Path) -> None:
    """Compares an output of untrusted_checkpoint.py with that of the checkpoint in the code of this project."""
    model, _ = load_checkpoint(checkpoint)
    with torch.no_grad():
        logits = model(torch.from_numpy(voice(1.5, 140))[None]).task_logits
    assert loaded["config"] == model.config.model_type
    for auto in ("AutoModel", "AutoModelForAudioClassification"):
        assert loaded[auto].keys() == logits.keys()
        for name, values in logits.items():
            assert loaded[auto][name] == pytest.approx(values[0].tolist(), abs=1e-6)
    for task in model.config.get_tasks():
        decoded = task.decode(logits[task.name])[0]
        if not task.is_classification:
            assert loaded["heads"][task.name]["value"] == pytest.approx(decoded.item(), rel=1e-6)
            continue
        expected = pytest.approx(dict(zip(task.labels, decoded.tolist(), strict=True)), abs=1e-6)
        assert {entry["label"]: entry["score"] for entry in loaded["heads"][task.name]} == expected
        if task == model.config.main_task:
            assert {entry["label"]: entry["score"] for entry in loaded["stock"]} == expected
    for source, package in (("path", "`soundfile`"), ("rate", "`soxr`")):
        assert package in loaded[source]
        assert loaded[source].endswith("pip install soundfile soxr")
    assert len(loaded["refused"]) == 5
    assert [text for text in loaded["refused"] if not re.search("trust_remote_code", text)] == []
