import re
import socket

import pytest
from huggingface_hub import close_session, constants, get_session

from publishing import hub_access
from publishing.hub_access import check_access, check_name, check_tag
from tests.support.hub_refusals import REPO, refusal


@pytest.mark.slow
def test_a_repository_is_created_private_unless_public(hub):
    for repo_id, public in ((REPO, False), ("team/ser", True)):
        check_access(repo_id, public=public)
        check_access(repo_id, public=public)  # again: it is ours
        assert hub.repos["model", repo_id].private is not public
    check_access(REPO, public=False, repo_type="dataset")
    assert {*hub.repos} == {("model", REPO), ("model", "team/ser"), ("dataset", REPO)}


@pytest.mark.parametrize(
    ("secret", "repo_id", "named"),
    [
        (None, REPO, "HF_TOKEN"),
        ("hf_wrong", REPO, "HF_TOKEN"),
        ("hf_wröng", REPO, "HF_TOKEN"),
        ("hf_a\x01b", REPO, "HF_TOKEN"),
        ("hf_reader", REPO, REPO),
        ("hf_writer", "other/ser", "other/ser"),
        ("hf_writer", "audience/ser", "audience/ser"),
        ("hf_fine", REPO, REPO),
        ("hf_writer", "ser", "'ser'"),
        ("hf_writer", "a/b/c", "'a/b/c'"),
        ("hf_writer", "tester/my model", "'tester/my model'"),
    ],
)
def test_an_account_without_access_is_refused(hub, token, secret, repo_id, named):
    token(secret)
    message = refusal(check_access, repo_id, public=False)
    assert named in message
    assert secret is None or secret not in message
    assert hub.repos == {}


def test_read_access_to_an_existing_repository_is_not_enough(hub, token):
    check_access(REPO, public=False)
    token("hf_reader")
    assert REPO in refusal(check_access, REPO, public=False)


def test_a_fine_grained_token_may_write_to_its_namespace(hub, token):
    token("hf_fine")
    check_access("team/ser", public=False)
    assert [*hub.repos] == [("model", "team/ser")]


def test_an_unreachable_hub_is_reported_soon(hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        message = refusal(check_access, REPO, public=False)
    assert "(ConnectError)" in message


def test_a_hub_that_does_not_respond_times_out(hub, monkeypatch):
    monkeypatch.setattr(hub_access, "RESPONSE_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "(ReadTimeout)" in refusal(check_access, REPO, public=False)
    assert hub_access.CONNECT_S < 4.5


@pytest.mark.parametrize(
    ("call", "status", "expected"),
    [
        ("repos/create", 503, "503"),
        ("repos/create", 403, REPO),
        ("repos/create", 400, "400"),
        ("auth-check", 403, REPO),
    ],
)
def test_a_refusal_of_the_hub_is_reported(hub, call, status, expected):
    hub.fail(call, status)
    assert re.search(expected, refusal(check_access, REPO, public=False))


def test_the_clients_own_time_limit_is_restored(hub):
    check_access(REPO, public=False)
    assert get_session().timeout.read is None
    assert get_session().event_hooks["request"]
    assert get_session().follow_redirects


def test_the_time_limit_outlives_a_failure_to_connect(hub):
    with hub_access._timeout(7):
        close_session()  # as the client does then
        assert get_session().timeout.read == 7
        assert get_session().event_hooks["request"]
    assert get_session().timeout.read is None


@pytest.mark.parametrize("tag", ["v 3", "v1..2", "v1.lock", "v1.", ".v1", "v1/2", "-v1", "ü", "v1\n", ""])
def test_an_invalid_tag_is_refused_without_the_hub(tag):
    with pytest.raises(ValueError, match="--tag"):
        check_tag(tag)


@pytest.mark.parametrize("tag", [None, "v1", "2026-10.1", "v1.0.0-rc.1", "v1+cpu", "1_0", "lock"])
def test_a_usual_tag_is_valid(tag):
    check_tag(tag)


def test_a_name_is_checked_without_the_hub():
    check_name("tester/ser-13.large_v2")
    with pytest.raises(ValueError, match="tester/-ser"):
        check_name("tester/-ser")
