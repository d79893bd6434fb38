"""`publish.py` and `train.py --push_to_hub` as they are typed, against a Hub on this machine."""

import errno
import json
import os
import re
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from datasets import load_dataset

from publishing import dataset as export_of_datasets
from publishing import export as export_of_checkpoints
from tests.conftest import ROOT
from tests.publishing.conftest import FILES, SHARED, check_loaded, connect, load_elsewhere
from tests.support.loopback_hub import ACCOUNTS, serve
from tests.support.scripts import publish_in_process, run_with_hub

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path):
    with serve(tmp_path / "hub") as server:
        yield server
    assert server.unknown == []


@pytest.fixture(scope="module")
def licensed(prepared, tmp_path_factory):
    """A prepared folder whose report states, as prepare.py's does, that its corpora are the user's own."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("licensed") / "prepared")
    report = json.loads((folder / "report.json").read_text())
    report["settings"]["licenses"] = {"alpha": None, "beta": None}
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_a_data_set_is_published_and_read_again(hub, licensed, tmp_path, monkeypatch, capsys):
    connect(monkeypatch, hub)
    arguments = [licensed, "--dataset", "--repo", "team/speech", "--license", "CC0", "--tag"]
    for tag, done in (("v1", "Published"), ("v1", "Unchanged"), ("v2", "Unchanged")):
        publish_in_process(monkeypatch, *arguments, tag, token="hf_writer")
        url = f"{hub.url}/datasets/team/speech/commit/{hub.repos['dataset', 'team/speech'].head.sha}"
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith(done)
        assert last.endswith(url)
        assert (tag in last) == (done == "Unchanged")
    repo = hub.repos["dataset", "team/speech"]
    assert repo.private
    assert len(repo.commits) == 2  # the Hub's own and ours
    assert repo.tags == dict.fromkeys(("v1", "v2"), repo.head.sha)
    for path in hub.folder.parent.rglob("*"):
        assert not path.is_file() or not any(secret.encode() in path.read_bytes() for secret in ACCOUNTS), path
    files = {name: hub.content(file) for name, file in repo.head.tree.items() if name != ".gitattributes"}
    for name, content in files.items():
        (tmp_path / "read" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "read" / name).write_bytes(content)
    read = load_dataset(str(tmp_path / "read"), cache_dir=str(tmp_path / "cache"))
    assert {*read} == {"train", "validation", "test"}


def test_a_dry_run_needs_no_hub_and_lists_the_files(licensed, monkeypatch, capsys):
    publish_in_process(monkeypatch, licensed, "--dataset", "--repo", "team/speech", "--license", "CC0", "--dry_run")
    *lines, total = capsys.readouterr().out.splitlines()
    sizes = {line.split()[1]: int(line.split()[0].replace(",", "")) for line in lines}
    splits = ("test", "train", "validation")
    assert [*sizes] == ["README.md", *(f"data/{name}-00000-of-00001.parquet" for name in splits)]
    assert all(size > 500 for size in sizes.values())
    assert total.split() == [f"{sum(sizes.values()):,}", "bytes", "in", "4", "files"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{}", "--dataset", "--repo", "team/x"], r"alpha.*--license"),
        (["{}", "--dataset", "--license", "CC0", "--repo", "x"], "NAMESPACE/NAME"),
        (["{}", "--repo", "team/x", "--dry_run", "--tag", "v1", "--repo", "x"], "NAMESPACE/NAME"),
        (["{}", "--repo", "team/x", "--dry_run", "--tag", "v1..2"], "--tag 'v1..2'"),
        (["{}/nowhere", "--repo", "team/x"], "nowhere"),
    ],
)
def test_an_error_is_one_line(licensed, monkeypatch, arguments, expected):
    with pytest.raises(SystemExit, match=expected) as end:
        publish_in_process(monkeypatch, *(argument.format(licensed) for argument in arguments))
    assert end.value.code.startswith("publish.py: ")
    assert "\n" not in end.value.code


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--license", "CC0"], "--dataset"),
        (["--dataset", "--float16"], "--float16"),
        (["--folder", "x", "--public"], "--folder"),
        (["--folder", "x", "--tag", "v1"], "--folder"),
    ],
)
def test_flags_that_have_no_effect_are_refused(monkeypatch, capsys, arguments, named):
    with pytest.raises(SystemExit):
        publish_in_process(monkeypatch, "runs/x", "--repo", "team/x", *arguments)
    assert named in capsys.readouterr().err.splitlines()[-1]


def test_the_files_of_a_repository_are_written_to_a_folder_without_the_hub(licensed, tmp_path, monkeypatch):
    folder = tmp_path / "to_look_at"
    publish_in_process(
        monkeypatch, licensed, "--dataset", "--repo", "team/speech", "--license", "CC0", "--folder", folder
    )
    assert {path.name for path in folder.iterdir()} == {"README.md", "data"}
    with pytest.raises(SystemExit, match="to_look_at"):
        publish_in_process(
            monkeypatch, licensed, "--dataset", "--repo", "team/speech", "--license", "CC0", "--folder", folder
        )


def test_a_full_disk_is_a_line(licensed, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(export_of_datasets, "export_dataset", full)
    with pytest.raises(SystemExit, match=r"publish.py: .*No space left on device"):
        publish_in_process(monkeypatch, licensed, "--dataset", "--repo", "team/x", "--license", "CC0", "--dry_run")
    assert [path.name for path in licensed.parent.iterdir()] == ["prepared"]


def test_missing_access_is_reported_before_anything_is_written_or_repeated(hub, licensed):
    done = run_with_hub(hub, "publish.py", licensed, "--dataset", "--license", "CC0", "--repo", "other/x", code=1)
    assert re.match(r"publish\.py: .*other/x", done.stderr.splitlines()[-1])
    assert hub.repos == {}
    assert len({*hub.calls}) == len(hub.calls) <= 3, hub.calls
    assert [path.name for path in licensed.parent.iterdir()] == [licensed.name]


@pytest.fixture
def arguments(prepared, backbone_config, tmp_path) -> list[str]:
    return [
        *("--data", str(prepared), "--config_name", str(backbone_config), "--report_to", "none", "--max_steps", "2"),
        *("--tasks", "emotion", "gender", "--freeze", "none", "--dataloader_num_workers", "0"),
        *("--output_dir", str(tmp_path / "run"), "--push_to_hub", "--hub_model_id", "team/ser"),
    ]


def test_a_training_that_could_not_publish_does_not_begin(hub, arguments, tmp_path):
    done = run_with_hub(hub, "train.py", *arguments, code=1, HF_TOKEN="hf_reader")
    assert re.match(r"train\.py: .*team/ser", done.stderr.splitlines()[-1])
    assert not (tmp_path / "run").exists()
    assert hub.repos == {}


def test_a_training_publishes_its_checkpoint_privately_and_it_loads_elsewhere(
    hub, arguments, tmp_path, prepared, backbone_config
):
    done = run_with_hub(hub, "train.py", *arguments)
    assert re.search(r"\nPublished: http://\S+/team/ser/commit/\w{40}\n", done.stdout)
    repo = hub.repos["model", "team/ser"]
    assert repo.private
    assert len(repo.commits) == 2  # the Hub's own and ours, and nothing by the Trainer
    assert "push_to_hub" not in (tmp_path / "run" / "train_config.yaml").read_text()

    calls = len(hub.calls)
    listed = run_with_hub(hub, "publish.py", tmp_path / "run", "--repo", "team/ser", "--dry_run", HF_TOKEN="").stdout
    assert len(hub.calls) == calls
    assert {line.split()[1] for line in listed.splitlines()[:-1]} == {*repo.head.tree} - {".gitattributes"}
    run_with_hub(hub, "publish.py", tmp_path / "run", "--repo", "team/ser", "--tag", "v1")
    assert len(repo.commits) == 2
    assert repo.tags == {"v1": repo.head.sha}
    assert {*repo.head.tree} - {".gitattributes"} == SHARED | FILES["wav2vec2"]
    folders = [str(path) for path in (tmp_path, prepared, backbone_config, ROOT, Path.home())]
    for name, file in repo.head.tree.items():
        content = hub.content(file)
        assert [text for text in (*folders, *ACCOUNTS) if text.encode() in content] == [], name
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []  # nothing is left over

    (loaded,) = load_elsewhere(hub, tmp_path, "team/ser")
    check_loaded(loaded, tmp_path / "run")


def test_a_typo_creates_no_repository(hub, arguments):
    done = run_with_hub(hub, "train.py", *arguments, "--hub_private_repo", "maybe", code=2)
    assert "hub_private_repo" in done.stderr
    assert hub.repos == {}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, r"metrics\.json.*`evaluate\.py .*`\."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), r"\[Errno 28\] No space left on device"),
    ],
)
def test_a_failed_export_names_the_command_that_publishes(checkpoint, tmp_path, monkeypatch, error, expected):
    run_folder = shutil.copytree(checkpoint, tmp_path / "run")

    def full(*arguments):
        raise error

    if error:
        monkeypatch.setattr(export_of_checkpoints, "export_checkpoint", full)
    publish = runpy.run_path(str(ROOT / "train.py"))["_publish"]
    with pytest.raises(SystemExit) as end:
        publish(SimpleNamespace(output_dir=str(run_folder), publish_to="team/ser", hub_private_repo=False))
    message, _, command = end.value.code.partition(" To publish it, run: ")
    assert re.fullmatch(rf"train\.py: .*{expected}", message)
    assert command == f"python publish.py {run_folder} --repo team/ser --public"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_failed_upload_leaves_the_checkpoint_and_names_the_command(hub, arguments, tmp_path):
    hub.fail("/commit/", 503)
    done = run_with_hub(hub, "train.py", *arguments, code=1)
    command = done.stderr.splitlines()[-1].partition("To resume, run: ")[2]
    assert command == f"python publish.py {tmp_path / 'run'} --repo team/ser"
    assert (tmp_path / "run" / "model.safetensors").is_file()
    run_with_hub(hub, *command.split()[1:])
    assert "model.safetensors" in hub.repos["model", "team/ser"].head.tree
