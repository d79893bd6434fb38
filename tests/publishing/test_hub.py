import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi, close_session, constants, get_session

from publishing import hub as publishing_hub
from publishing.hub import check_access, check_name, check_tag, describe_publication, head_of, publish_folder
from tests.conftest import ROOT
from tests.publishing.conftest import write_publication
from tests.support.loopback_hub import ACCOUNTS, File

pytestmark = pytest.mark.slow

REPO = "tester/ser"
COMMAND = "python publish.py runs/x --repo tester/ser"


def publish(folder, repo_id=REPO, **options):
    options = {"public": False, "message": "A model", "command": COMMAND, **options}
    return publish_folder(folder, repo_id, **options)


def files(hub, repo_id=REPO, kind="model") -> dict[str, str]:
    tree = hub.repos[kind, repo_id].head.tree
    return {name: hub.content(file).decode() for name, file in tree.items() if name != ".gitattributes"}


def local(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert not [secret for secret in ACCOUNTS if secret in text]
    return text


def refusal(call, *arguments, **options) -> str:
    """The message with which a call fails, in less than five seconds."""
    start = time.monotonic()
    with pytest.raises(ValueError) as error:  # noqa: PT011, the message is what is returned
        call(*arguments, **options)
    assert time.monotonic() - start < 5
    return sentence(error)


def test_a_free_name_is_taken_and_private_unless_said(hub):
    for repo_id, public in ((REPO, False), ("team/ser", True)):
        check_access(repo_id, public=public)
        check_access(repo_id, public=public)  # again: it is ours
        assert hub.repos["model", repo_id].private is not public
    check_access(REPO, public=False, repo_type="dataset")
    assert {*hub.repos} == {("model", REPO), ("model", "team/ser"), ("dataset", REPO)}


@pytest.mark.parametrize(
    ("secret", "repo_id", "says"),
    [
        (None, REPO, r"There is no token for the Hub: log in with `hf auth login`, or set HF_TOKEN"),
        ("hf_wrong", REPO, r"does not know the token: log in anew with `hf auth login --force`, or mend HF_TOKEN"),
        ("hf_wröng", REPO, r"does not know the token"),
        ("hf_a\x01b", REPO, r"does not know the token"),
        ("hf_reader", REPO, r"The token may only read: make one that may write at https://huggingface.co/settings"),
        ("hf_writer", "other/ser", r"may not write to other: it may write to tester, team\. Choose another name"),
        ("hf_writer", "audience/ser", r"may not write to audience: it may write to tester, team\."),
        ("hf_fine", REPO, r"may not write to tester: it may write to team\."),
        ("hf_writer", "ser", r"is called NAMESPACE/NAME, such as .*; got 'ser'"),
        ("hf_writer", "a/b/c", r"is called NAMESPACE/NAME"),
        ("hf_writer", "tester/my model", r"is called NAMESPACE/NAME"),
    ],
)
def test_who_may_not_publish_is_told_what_to_do(hub, token, secret, repo_id, says):
    token(secret)
    message = refusal(check_access, repo_id, public=False)
    assert re.search(says, message)
    assert secret is None or secret not in message
    assert hub.repos == {}


def test_a_token_for_one_name_space_may_write_there(hub, token):
    token("hf_fine")
    check_access("team/ser", public=False)
    assert [*hub.repos] == [("model", "team/ser")]


def test_a_public_repository_is_published_to_only_if_said(hub, publication):
    check_access(REPO, public=True)
    says = r"tester/ser is public\. .* \(publish.py --public, train.py --hub_private_repo false\)"
    assert re.search(says, refusal(check_access, REPO, public=False))
    assert re.search(says, refusal(publish, publication))
    assert files(hub) == {}
    assert publish(publication, public=True)


def test_a_private_repository_is_not_taken_for_a_public_one(hub, publication):
    check_access(REPO, public=False)
    assert "tester/ser is private. Make it public in its settings" in refusal(check_access, REPO, public=True)
    assert "is private" in refusal(publish, publication, public=True)


def test_somebody_elses_work_under_the_name_is_left_alone(hub, publication):
    check_access(REPO, public=False)
    hub.repos["model", REPO].add("by hand", {"README.md": File.of(b"# Mine"), "model.pt": File.of(b"weights")})
    for message in (refusal(check_access, REPO, public=False), refusal(publish, publication)):
        assert message.startswith("tester/ser holds something else, such as model.pt, which would go")
    assert {*files(hub)} == {"README.md", "model.pt"}


def test_offline_is_said_at_once(hub, monkeypatch, publication):
    check_access(REPO, public=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refusal(check_access, REPO, public=False)
    assert "HF_HUB_OFFLINE is set" in refusal(publish, publication)


def test_no_way_to_the_hub_is_said_soon(hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        message = refusal(check_access, REPO, public=False)
    assert re.fullmatch(r"http://\S+ cannot be reached \(ConnectError\): check the network and its proxy\.", message)


def test_a_hub_that_does_not_answer_is_not_waited_for(hub, monkeypatch):
    monkeypatch.setattr(publishing_hub, "FIRST_ANSWER_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "cannot be reached (TimeoutError)" in refusal(check_access, REPO, public=False)
    assert publishing_hub.FIRST_ANSWER_S < 4.5


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        ("whoami", 503, "answers 503 .*: try again later"),
        ("repos/create", 403, "The token may not write to tester/ser"),
        ("repos/create", 400, r"answers 400 \(The stand-in was told to fail\.\)"),
        ("auth-check", 403, "The token may not write to tester/ser"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(hub, call, status, says):
    hub.fail(call, status)
    assert re.search(says, refusal(check_access, REPO, public=False))


def test_the_clients_own_patience_is_put_back(hub):
    check_access(REPO, public=False)
    assert get_session().timeout.read is None
    assert get_session().event_hooks["request"]
    assert get_session().follow_redirects


def test_patience_outlives_a_failure_to_connect(hub):
    with publishing_hub._patience(7):
        close_session()  # as the client does then
        assert get_session().timeout.read == 7
        assert get_session().event_hooks["request"]
    assert get_session().timeout.read is None


def test_a_folder_is_one_commit_and_the_same_again_is_none(hub, publication):
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


def test_what_the_client_downloads_is_what_was_published(hub, publication, tmp_path):
    check_access(REPO, public=False)
    publish(publication, tag="v1")
    write_publication(publication, "second")
    publish(publication)
    api = HfApi(endpoint=hub.url, token="hf_writer")
    for revision, weights in (("v1", "first"), ("main", "second")):
        folder = api.snapshot_download(REPO, revision=revision, local_dir=tmp_path / revision)
        assert Path(folder, "model.safetensors").read_text() == weights
    assert [commit.title for commit in api.list_repo_commits(REPO)] == ["A model", "A model", "initial commit"]


def test_what_others_put_there_is_named_before_it_goes(hub, publication, capsys):
    check_access(REPO, public=False)
    publish(publication)
    repo = hub.repos["model", REPO]
    repo.add("of the owner", {**repo.head.tree, "notes.md": File.of(b"notes"), "docs/why.md": File.of(b"why")})
    capsys.readouterr()
    hub.fail("/commit/", 503)
    assert "answers 503" in refusal(publish, publication)
    said = "Removing from tester/ser, whose history keeps it: docs/why.md, notes.md\n"
    assert capsys.readouterr().out == said
    publish(publication)
    assert capsys.readouterr().out == said
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


def test_a_tag_is_of_one_release_for_ever(hub, publication):
    check_access(REPO, public=False)
    publish(publication, tag="v1")
    repo = hub.repos["model", REPO]
    first = repo.head.sha
    assert repo.tags == {"v1": first}
    publish(publication, tag="v1")  # the same files
    write_publication(publication, "second")
    calls = len(hub.calls)
    assert "tester/ser has a release v1 already, with other files" in refusal(publish, publication, tag="v1")
    assert not [call for call in hub.calls[calls:] if not call.startswith("GET")]
    publish(publication, tag="v2")
    assert repo.tags == {"v1": first, "v2": repo.head.sha}
    assert "A tag is a word such as v1" in refusal(publish, publication, tag="v 3")


@pytest.mark.parametrize("tag", ["v 3", "v1..2", "v1.lock", "v1.", ".v1", "v1/2", "-v1", "ü", "v1\n", ""])
def test_a_tag_that_git_or_the_hub_would_refuse_is_refused_without_them(tag):
    with pytest.raises(ValueError, match="A tag is a word such as v1"):
        check_tag(tag)


@pytest.mark.parametrize("tag", [None, "v1", "2026-10.1", "v1.0.0-rc.1", "v1+cpu", "1_0", "lock"])
def test_a_usual_tag_is_taken(tag):
    check_tag(tag)


@pytest.mark.usefixtures("no_waits")
def test_a_connection_cut_in_mid_upload_is_mended_by_the_same_command(hub, publication):
    check_access(REPO, public=False)
    (publication / "model.safetensors").write_text("w" * 3_000_000)
    before = local(publication)
    hub.cut("PUT /_lfs/", after=1_000_000, times=99)
    message = refusal(publish, publication)
    assert message.startswith(f"Publishing {REPO} stopped. {hub.url} cannot be reached (")
    assert message.endswith(f"Then go on with: {COMMAND}")
    repo = hub.repos["model", REPO]
    assert len(repo.commits) == 1
    assert local(publication) == before
    hub.faults.clear()
    publish(publication)
    assert files(hub) == before
    assert len(repo.commits) == 2


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(
    ("call", "times", "status"), [("PUT /_lfs/", 2, 503), ("preupload", 3, 502), ("objects/batch", 1, 500)]
)
def test_a_hub_that_stumbles_is_asked_again(hub, publication, call, times, status):
    check_access(REPO, public=False)
    hub.fail(call, status, times)
    publish(publication)
    assert files(hub) == local(publication)


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        ("PUT /_lfs/", 503, "answers 503"),
        ("/commit/", 500, "answers 500"),
        ("/commit/", 412, "has changed meanwhile"),
        ("preupload", 403, "may not write to tester/ser"),
        ("GET /api/models/tester/ser$", 401, "does not know the token"),
    ],
)
def test_a_refused_upload_changes_nothing_and_names_the_command(hub, publication, call, status, says):
    check_access(REPO, public=False)
    hub.fail(call, status, 99)
    message = refusal(publish, publication)
    assert says in message
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


def test_a_commit_whose_answer_was_lost_is_found_by_the_same_command(hub, publication):
    check_access(REPO, public=False)
    hub.lose_answer("/commit/")
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
    assert "has changed meanwhile" in refusal(publish, publication)
    assert {*files(hub)} == {"notes.md"}


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("license: [", "expected the node content"),
        ("license: mine", '"license" must be one of'),
        ("license: other\nlicense_name: my license", '"license_name" fails to match the required pattern'),
        ("language: [de, swiss]", '"language" must be an ISO 639-1, 639-2 or 639-3 code'),
        ("model-index: [{name: a, results: [{task: {}, dataset: {}, metrics: []}]}]", "dataset.type"),
    ],
)
def test_metadata_that_the_hub_refuses_stop_before_the_upload_in_a_sentence(hub, publication, metadata, says):
    check_access(REPO, public=False)
    (publication / "README.md").write_text(f"---\n{metadata}\n---\n")
    message = refusal(publish, publication)
    assert message.startswith(f"Publishing {REPO} stopped. {hub.url} refuses the card: Invalid metadata in README.md.")
    assert says in message
    assert message.endswith(f"Then go on with: {COMMAND}")
    assert not [call for call in hub.calls if "_lfs" in call]


def test_a_name_is_checked_without_the_hub():
    check_name("tester/ser-13.large_v2")
    with pytest.raises(ValueError, match="NAMESPACE/NAME"):
        check_name("tester/-ser")


# In kB. Not getrusage's peak, which a process takes over from the one that started it.
MEASURE = """
import re, sys
from pathlib import Path
from huggingface_hub.utils import disable_progress_bars
from publishing.hub import check_access, publish_folder

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

disable_progress_bars()
folder, repo = Path(sys.argv[1]), "tester/large"
check_access(repo, public=False)
before = peak()
publish_folder(folder, repo, public=False, message="Large", command="")
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's peak")
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


def test_that_nothing_changed_is_told_from_a_publication(hub, publication):
    check_access(REPO, public=False)
    before = head_of(REPO)
    assert describe_publication(publish(publication), before).startswith("Published: ")
    now = head_of(REPO)
    assert now == hub.repos["model", REPO].head.sha != before
    assert describe_publication(publish(publication), now).startswith("Unchanged: ")


def test_a_hub_that_fails_when_it_is_asked_where_it_is_is_said(hub, no_waits):
    check_access(REPO, public=False)
    hub.fail("/api/models", 503)
    with pytest.raises(ValueError, match="503"):
        head_of(REPO)
