import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from publishing import hub as publishing_hub
from publishing.hub import describe_publication, head_of, publish_folder, staging_folder
from publishing.hub_access import check_access
from tests.conftest import ROOT
from tests.publishing.conftest import write_publication
from tests.support.hub_refusals import REPO, refusal
from tests.support.loopback_hub import File

pytestmark = pytest.mark.slow

COMMAND = "python publish.py runs/x --repo tester/ser"


def publish(folder, repo_id=REPO, **options):
    options = {"public": False, "message": "A model", "command": COMMAND, **options}
    return publish_folder(folder, repo_id, **options)


def files(hub, repo_id=REPO, kind="model") -> dict[str, str]:
    tree = hub.repos[kind, repo_id].head.tree
    return {name: hub.content(file).decode() for name, file in tree.items() if name != ".gitattributes"}


def local(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_public_repository_is_published_to_only_with_public(hub, publication):
    check_access(REPO, public=True)
    assert "--public" in refusal(check_access, REPO, public=False)
    assert "--public" in refusal(publish, publication)
    assert files(hub) == {}
    assert publish(publication, public=True)


def test_a_private_repository_is_not_taken_for_a_public_one(hub, publication):
    check_access(REPO, public=False)
    assert REPO in refusal(check_access, REPO, public=True)
    assert REPO in refusal(publish, publication, public=True)


def test_somebody_elses_work_under_the_name_is_left_alone(hub, publication):
    check_access(REPO, public=False)
    hub.repos["model", REPO].add("by hand", {"README.md": File.of(b"# Mine"), "model.pt": File.of(b"weights")})
    for message in (refusal(check_access, REPO, public=False), refusal(publish, publication)):
        assert "model.pt" in message
    assert {*files(hub)} == {"README.md", "model.pt"}


def test_offline_mode_is_reported(hub, monkeypatch, publication):
    check_access(REPO, public=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refusal(check_access, REPO, public=False)
    assert "HF_HUB_OFFLINE" in refusal(publish, publication)


def test_a_folder_is_one_commit_and_is_not_uploaded_twice(hub, publication):
    check_access(REPO, public=False)
    url = publish(publication, message="Release 1")
    repo = hub.repos["model", REPO]
    assert [commit.message for commit in repo.commits] == ["initial commit", "Release 1"]
    assert url == f"{hub.url}/{REPO}/commit/{repo.head.sha}"
    assert files(hub) == local(publication)
    assert repo.head.tree["model.safetensors"].content is None  # it went to the storage of large files
    calls = len(hub.calls)
    assert publish(publication) == url
    assert len(repo.commits) == 2
    assert not [call for call in hub.calls[calls:] if not call.startswith("GET")]  # it is not even sent


def test_downloads_equal_what_was_published(hub, publication, tmp_path):
    check_access(REPO, public=False)
    publish(publication, tag="v1")
    write_publication(publication, "second")
    publish(publication)
    api = HfApi(endpoint=hub.url, token="hf_writer")
    for revision, weights in (("v1", "first"), ("main", "second")):
        folder = api.snapshot_download(REPO, revision=revision, local_dir=tmp_path / revision)
        assert Path(folder, "model.safetensors").read_text() == weights
    assert [commit.title for commit in api.list_repo_commits(REPO)] == ["A model", "A model", "initial commit"]


def test_files_of_others_are_named_before_they_are_removed(hub, publication, capsys):
    check_access(REPO, public=False)
    publish(publication)
    repo = hub.repos["model", REPO]
    repo.add("of the owner", {**repo.head.tree, "notes.md": File.of(b"notes"), "docs/why.md": File.of(b"why")})
    capsys.readouterr()
    hub.fail("/commit/", 503)
    assert "503" in refusal(publish, publication)
    assert "docs/why.md, notes.md" in capsys.readouterr().out
    publish(publication)
    assert "docs/why.md, notes.md" in capsys.readouterr().out
    assert files(hub) == local(publication)
    publish(publication)
    assert capsys.readouterr().out == ""


def test_a_better_checkpoint_replaces_what_is_not_there_any_more_and_keeps_the_history(hub, publication):
    check_access(REPO, public=False)
    publish(publication)
    (publication / "figures" / "confusion.png").unlink()
    write_publication(publication, "better")
    (publication / "figures" / "confusion.png").rename(publication / "figures" / "roc.png")
    (publication / "metrics.json").write_text('{"f1": 0.6}')
    publish(publication, message="Better")
    repo = hub.repos["model", REPO]
    assert files(hub) == local(publication)
    assert "figures/confusion.png" not in files(hub)
    assert ".gitattributes" in repo.head.tree
    assert hub.content(repo.commits[1].tree["metrics.json"]) == b'{"f1": 0.5}'
    assert len(repo.commits) == 3


def test_a_tag_never_moves(hub, publication):
    check_access(REPO, public=False)
    publish(publication, tag="v1")
    repo = hub.repos["model", REPO]
    first = repo.head.sha
    assert repo.tags == {"v1": first}
    publish(publication, tag="v1")  # the same files
    write_publication(publication, "second")
    calls = len(hub.calls)
    assert "release v1" in refusal(publish, publication, tag="v1")
    assert not [call for call in hub.calls[calls:] if not call.startswith("GET")]
    publish(publication, tag="v2")
    assert repo.tags == {"v1": first, "v2": repo.head.sha}
    assert "v 3" in refusal(publish, publication, tag="v 3")


@pytest.mark.usefixtures("no_waits")
def test_an_interrupted_upload_is_resumed_by_the_same_command(hub, publication):
    check_access(REPO, public=False)
    (publication / "model.safetensors").write_text("w" * 3_000_000)
    before = local(publication)
    hub.cut("PUT /_lfs/", after=1_000_000, times=99)
    message = refusal(publish, publication)
    assert hub.url in message
    assert message.endswith(COMMAND)
    repo = hub.repos["model", REPO]
    assert len(repo.commits) == 1
    assert local(publication) == before
    hub.failures.clear()
    publish(publication)
    assert files(hub) == before
    assert len(repo.commits) == 2


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(
    ("call", "times", "status"), [("PUT /_lfs/", 2, 503), ("preupload", 3, 502), ("objects/batch", 1, 500)]
)
def test_a_failing_request_is_repeated(hub, publication, call, times, status):
    check_access(REPO, public=False)
    hub.fail(call, status, times)
    publish(publication)
    assert files(hub) == local(publication)


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(
    ("call", "status", "expected"),
    [
        ("PUT /_lfs/", 503, "503"),
        ("/commit/", 500, "500"),
        ("/commit/", 412, "changed"),
        ("preupload", 403, REPO),
        ("GET /api/models/tester/ser$", 401, "HF_TOKEN"),
    ],
)
def test_a_refused_upload_changes_nothing_and_names_the_command(hub, publication, call, status, expected):
    check_access(REPO, public=False)
    hub.fail(call, status, 99)
    message = refusal(publish, publication)
    assert expected in message
    assert message.endswith(COMMAND)
    assert files(hub) == {}


def test_a_tag_that_was_missed_is_made_by_the_same_command(hub, publication):
    check_access(REPO, public=False)
    hub.fail("/tag/", 500)
    assert refusal(publish, publication, tag="v1").endswith(COMMAND)
    repo = hub.repos["model", REPO]
    publish(publication, tag="v1")
    assert repo.tags == {"v1": repo.head.sha}
    assert len(repo.commits) == 2


def test_a_commit_whose_response_was_lost_is_found_by_the_same_command(hub, publication):
    check_access(REPO, public=False)
    hub.lose_response("/commit/")
    assert refusal(publish, publication, tag="v1").endswith(COMMAND)
    repo = hub.repos["model", REPO]
    assert files(hub) == local(publication)
    publish(publication, tag="v1")
    assert len(repo.commits) == 2
    assert repo.tags == {"v1": repo.head.sha}


def test_a_commit_of_another_in_the_meantime_is_not_overwritten(hub, publication, monkeypatch):
    check_access(REPO, public=False)
    repo = hub.repos["model", REPO]
    compare = publishing_hub._changes

    def meanwhile(*arguments):
        changes = compare(*arguments)
        repo.add("of another", {**repo.head.tree, "notes.md": File.of(b"notes")})
        return changes

    monkeypatch.setattr(publishing_hub, "_changes", meanwhile)
    assert "changed" in refusal(publish, publication)
    assert {*files(hub)} == {"notes.md"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("license: [", "expected the node content"),
        ("license: mine", '"license" must be one of'),
        ("license: other\nlicense_name: my license", '"license_name" fails to match the required pattern'),
        ("language: [de, swiss]", '"language" must be an ISO 639-1, 639-2 or 639-3 code'),
        ("model-index: [{name: a, results: [{task: {}, dataset: {}, metrics: []}]}]", "dataset.type"),
    ],
)
def test_metadata_that_the_hub_refuses_stop_before_the_upload(hub, publication, metadata, expected):
    check_access(REPO, public=False)
    (publication / "README.md").write_text(f"---\n{metadata}\n---\n")
    message = refusal(publish, publication)
    assert "README.md" in message
    assert expected in message
    assert message.endswith(COMMAND)
    assert not [call for call in hub.calls if "_lfs" in call]


# In kB. Not getrusage's peak, which a process takes over from the one that started it.
MEASURE = """
import re, sys
from pathlib import Path
from huggingface_hub.utils import disable_progress_bars
from publishing.hub import publish_folder
from publishing.hub_access import check_access

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

disable_progress_bars()
folder, repo = Path(sys.argv[1]), "tester/large"
check_access(repo, public=False)
before = peak()
publish_folder(folder, repo, public=False, message="Large", command="")
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not report a process's peak memory")
def test_a_large_file_goes_up_in_pieces(hub, publication):
    size = 100_000_000
    with (publication / "model.safetensors").open("wb") as file:
        file.truncate(size)
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(publication)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert hub.repos["model", "tester/large"].head.tree["model.safetensors"].size == size
    assert int(done.stdout) < 60_000


def test_an_unchanged_repository_is_distinguished_from_a_publication(hub, publication):
    check_access(REPO, public=False)
    before = head_of(REPO)
    assert describe_publication(publish(publication), before).startswith("Published: ")
    now = head_of(REPO)
    assert now == hub.repos["model", REPO].head.sha != before
    assert describe_publication(publish(publication), now).startswith("Unchanged: ")


def test_a_failure_to_read_the_head_is_reported(hub, no_waits):
    check_access(REPO, public=False)
    hub.fail("/api/models", 503)
    with pytest.raises(ValueError, match="503"):
        head_of(REPO)


def test_the_staging_folder_is_next_to_the_source_and_removed_afterwards(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights").write_text("w")
    with staging_folder(tmp_path / "run") as folder:
        assert Path(folder).parent == tmp_path
        os.link(tmp_path / "run" / "weights", Path(folder, "weights"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "weights").read_text() == "w"


def test_the_staging_folder_is_elsewhere_if_the_source_is_not_in_a_writable_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with staging_folder(Path("team/ser")) as folder:  # a Hub id
        assert Path(folder).is_dir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with staging_folder(tmp_path / "run") as folder:
        assert Path(folder).parent != tmp_path
    assert [*tmp_path.iterdir()] == []
