import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import Wav2Vec2Config

from common.checkpoint import load_checkpoint
from common.checkpoint_files import weights_sha256
from modeling import ARCHITECTURES
from publishing.export import export_checkpoint
from publishing.hub import publish_folder
from publishing.hub_access import check_access
from tests.conftest import ROOT
from tests.publishing.conftest import FILES, REPO, SHARED, TOKEN, check_loaded, load_elsewhere

pytestmark = pytest.mark.slow


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


def set_figures(folder, **fields):
    path = folder / "metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("architecture", FILES)
def test_these_files_are_published_and_no_other(exported, architecture):
    folder = exported[architecture]
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == SHARED | FILES[architecture]
    for name in names:
        if name.endswith(".py"):
            assert (folder / name).read_bytes() == (ROOT / "modeling" / name).read_bytes()


def test_weights_in_half_the_bytes_are_loaded_in_float32(trained, tmp_path):
    checkpoint = trained["wav2vec2"]
    export_checkpoint(checkpoint, tmp_path / "half", REPO, float16=True)
    (full, _), (half, _) = load_checkpoint(checkpoint), load_checkpoint(tmp_path / "half")
    with safe_open(tmp_path / "half/model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    for name, weight in half.state_dict().items():
        assert weight.dtype == torch.float32
        torch.testing.assert_close(weight, full.state_dict()[name], rtol=2**-11, atol=1e-7)
    metrics = json.loads((tmp_path / "half/metrics.json").read_text())
    assert metrics["weights_sha256"] == weights_sha256(tmp_path / "half") != weights_sha256(checkpoint)


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
    model = ARCHITECTURES[architecture]
    config_file, model_file = (part.__module__.rpartition(".")[2] for part in (model.config_class, model))
    assert {name: value.partition(".")[0] for name, value in config["auto_map"].items()} == {
        "AutoConfig": config_file,
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
    training = json.loads((exported[architecture] / "training.json").read_text(encoding="utf-8"))
    assert training == json.loads((trained[architecture] / "training.json").read_text())


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
    set_figures(copy, weights_sha256=weights_sha256(copy))
    shards = {path.name for path in copy.glob("model-*.safetensors")}
    assert len(shards) > 1
    export_checkpoint(copy, tmp_path / "repo", REPO)
    assert {path.name for path in (tmp_path / "repo").glob("model[.-]*")} == {
        *shards,
        "model.safetensors.index.json",
    }
    load_checkpoint(tmp_path / "repo")
    next(iter(copy.glob("model-*"))).unlink()
    with pytest.raises(ValueError, match="model-"):
        export_checkpoint(copy, tmp_path / "other", REPO)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("metrics.json", r"metrics\.json.*`evaluate.py .*run --data DIR"),
        ("training.json", r"training\.json"),
        ("model.safetensors", r"model\.safetensors"),
        ("config.json", r"config\.json"),
        ("preprocessor_config.json", r"preprocessor_config\.json"),
    ],
)
def test_a_missing_file_is_named_before_anything_is_written(copy, tmp_path, lost, message):
    (copy / lost).unlink()
    with pytest.raises(ValueError, match=message):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    assert not (tmp_path / "repo").exists()


def test_figures_of_other_weights_are_not_published(copy, trained, tmp_path):
    command = r"metrics\.json.*`evaluate.py .*run --data DIR"
    set_figures(copy, weights_sha256=weights_sha256(trained["wav2vec2"]))  # evaluate.py runs/other --output runs/this
    with pytest.raises(ValueError, match=command):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    set_figures(copy, weights_sha256=None)  # evaluate.py team/ser --output runs/this
    with pytest.raises(ValueError, match=command):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    set_figures(copy, weights_sha256=weights_sha256(copy))
    model, _ = load_checkpoint(copy)
    model.heads["emotion"].weight.data += 1e-3
    model.save_pretrained(copy)  # trained again in the same folder, and not evaluated
    with pytest.raises(ValueError, match=command):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    assert not (tmp_path / "repo").exists()


def test_an_invalid_checkpoint_is_refused(copy, tmp_path):
    metrics = json.loads((copy / "metrics.json").read_text())
    unlabeled = {**metrics, "main_task": "gender", "tasks": {"gender": {"clips": 0}}}
    (copy / "metrics.json").write_text(json.dumps(unlabeled))
    with pytest.raises(ValueError, match="gender"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    del metrics["without_clips"]
    (copy / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match="without_clips"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    (copy / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match=r"metrics\.json"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    config = json.loads((copy / "config.json").read_text())
    config["tasks"] = config["tasks"][:2]
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="heads"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    Wav2Vec2Config().save_pretrained(copy)
    with pytest.raises(ValueError, match="'wav2vec2'"):
        export_checkpoint(copy, tmp_path / "repo", REPO)
    assert not (tmp_path / "repo").exists()


def test_a_folder_with_files_is_left_alone(trained, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        export_checkpoint(trained["panns"], tmp_path, REPO)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_architecture_loads_elsewhere_from_a_folder_and_from_the_hub(exported, trained, hub, tmp_path):
    on_hub = {f"team/{name}": folder for name, folder in exported.items()}
    for repo_id, folder in on_hub.items():
        check_access(repo_id, public=True)
        publish_folder(folder, repo_id, public=True, message="A model", command="")
    all_loaded = load_elsewhere(hub, tmp_path, *exported.values(), *on_hub)
    for loaded, checkpoint in zip(all_loaded, [*trained.values()] * 2, strict=True):
        check_loaded(loaded, checkpoint)
