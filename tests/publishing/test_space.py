import os
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
import torch
from gradio_client import Client, handle_file
from huggingface_hub import snapshot_download

from common.checkpoint import load_checkpoint
from inference.web.examples import write_examples
from modeling import SpeechEmotionPipeline
from publishing.space import REQUIREMENTS, export_space
from tests.conftest import ROOT
from tests.publishing.conftest import REPO
from tests.support.loopback_hub import card_data
from tests.support.scripts import publish_in_process, run_with_hub

pytestmark = pytest.mark.slow

# What a Space does not install; the packages of the project that its page does not need are not there either.
ABSENT = "datasets evaluate accelerate librosa numba scipy sklearn matplotlib optuna tensorboard onnx onnxruntime"
RUN = f"""
import runpy, sys
for name in "{ABSENT}".split():
    sys.modules[name] = None
sys.argv = ["app.py"]
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture(scope="session")
def space(trained, tmp_path_factory):
    """The Space of a checkpoint of this machine."""
    folder = tmp_path_factory.mktemp("space") / "space"
    files = export_space(str(trained["wav2vec2"]), folder, REPO)
    assert files == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


def test_the_card_is_a_spaces(space):
    text = (space / "README.md").read_text(encoding="utf-8")
    data = card_data(text)
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    assert data["sdk"] == "gradio"
    assert data["sdk_version"] == pins["gradio"]
    assert (data["title"], data["app_file"], data["python_version"]) == (REPO.partition("/")[2], "app.py", "3.11")
    assert (data["license"], data["license_name"]) == ("other", "unstated-data-license")
    assert data["license_link"].endswith(f"/spaces/{REPO}#training-data-and-licenses")
    assert "models" not in data
    assert "| [EMODB](https://emodb.org) | 1,200 |" in text.partition("## Training data and licenses")[2]
    assert "\n## Intended use" not in text
    installed = dict(line.split("==") for line in (space / "requirements.txt").read_text().splitlines())
    assert {*installed} == {*REQUIREMENTS}
    assert installed.items() <= pins.items()


def test_the_code_is_the_projects_and_complete(space):
    names = {path.relative_to(space).as_posix() for path in space.rglob("*") if path.is_file()}
    assert {name for name in names if name.startswith("model/")} == {
        *(
            "model/config.json",
            "model/metrics.json",
            "model/model.safetensors",
            "model/preprocessor_config.json",
            "model/training.json",
        )
    }
    code = {name for name in names if not name.startswith("model/")} - {"README.md", "requirements.txt"}
    assert {
        "app.py",
        "LICENSE",
        "inference/web/page.css",
        "inference/web/page.js",
        "inference/web/recording.html.jinja",
    } <= code
    assert {name for name in code if (space / name).read_bytes() != (ROOT / name).read_bytes()} == set()
    assert {name.partition("/")[0] for name in code if "/" in name} == {
        *("common", "inference", "modeling", "preprocessing")
    }
    assert "preprocessing/corpora/emodb.py" not in code


def test_the_model_in_a_space_is_complete(space, trained):
    models = [load_checkpoint(folder)[0].state_dict() for folder in (space / "model", trained["wav2vec2"])]
    assert models[0].keys() == models[1].keys()
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(ValueError, match="team/nothing"):
        export_space("team/nothing", tmp_path / "space", REPO)
    assert not (tmp_path / "space").exists()


def test_a_dry_run_lists_the_files_and_asks_nobody(hub, trained, monkeypatch, capsys):
    publish_in_process(monkeypatch, trained["panns"], "--space", "--repo", "team/page", "--dry_run")
    listed = {line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert {"app.py", "README.md", "requirements.txt", "inference/web/page.py", "model/model.safetensors"} <= listed
    assert hub.calls == []


def test_a_published_space_runs_where_it_is_downloaded(hub, trained, tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader", reason="nothing else here speaks")
    publish_in_process(monkeypatch, trained["wav2vec2"], "--repo", "team/ser", token="hf_writer")
    done = run_with_hub(hub, "publish.py", "team/ser", "--space", "--repo", "team/page")
    assert re.search(rf"\nPublished: {hub.url}/spaces/team/page/commit/\w{{40}}\n", done.stdout)
    repo = hub.repos["space", "team/page"]
    assert repo.private
    assert len(repo.commits) == 2  # the Hub's own and ours
    snapshot_download("team/page", repo_type="space", local_dir=tmp_path / "space", token="hf_writer")
    data = card_data((tmp_path / "space" / "README.md").read_text(encoding="utf-8"))
    assert (data["models"], data["license"]) == (["team/ser"], "apache-2.0")
    assert not (tmp_path / "space" / "model").exists()

    clip = [*write_examples(tmp_path).values()][-1]
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")  # the client reads it as well
    with app(tmp_path / "space", hub) as url:
        client = Client(url, verbose=False, analytics_enabled=False)
        _, [row] = client.predict([handle_file(clip)], api_name="/predict_several")
    model, feature_extractor = load_checkpoint(trained["wav2vec2"])
    expected = SpeechEmotionPipeline(model, feature_extractor=feature_extractor)(str(clip))
    scores = [{entry["label"]: entry["score"] for entry in prediction["emotion"]} for prediction in (row, expected)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


@contextmanager
def app(folder, hub):
    """Runs the `app.py` of a folder that is all there is of the project, as the Hub does, and yields its address."""
    environment = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_writer", "HF_HUB_OFFLINE": "0", "HF_HOME": str(hub.folder)}
    environment |= {"PYTHONUNBUFFERED": "1", "TMPDIR": str(folder.parent), "OMP_NUM_THREADS": "1"}
    environment["GRADIO_ANALYTICS_ENABLED"] = "True"  # the page's own word counts
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        log = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log)):
            line = process.stdout.readline()
            assert line, log
            log += line
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)
