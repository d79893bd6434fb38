"""A folder -> one commit on the Hub, and the checks that come before any hour is spent."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_session,
    get_token,
    set_client_factory,
)
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.hf_api import DatasetInfo, ModelInfo, SpaceInfo
from huggingface_hub.utils import validate_repo_id

FIRST_ANSWER_S = 4.0  # in all, whatever name look-up and addresses that do not answer take
ANSWER_S = 10.0  # of a Hub that has answered once
SILENCE_S = 120.0  # of a connection while files go up
# Xet sends blocks of 64 MB, and on a fast line up to 64 of them at a time, all in memory.
XET_BLOCKS = ("HF_XET_CLIENT_AC_MAX_UPLOAD_CONCURRENCY", "2")
GIT_ATTRIBUTES = ".gitattributes"  # the Hub's own, which says what is a large file
# What every publication of ours has in it, by which it is told from somebody's other work under that name.
OWNERSHIP_MARKER = {"model": "configuration_ser.py", "dataset": "data/", "space": "inference/"}
HARMLESS = {GIT_ATTRIBUTES, "README.md", "LICENSE"}  # what a repository has that was made by hand a minute ago
WRONG_TOKEN = "The Hub does not know the token: log in anew with `hf auth login --force`, or mend HF_TOKEN, which wins."

# What the client raises where the Hub, or the way to it, fails. xet's and LFS's own are RuntimeErrors and OSErrors; an
# answer that is no JSON comes from a proxy or a log-in page on the way.
_FAILURES = (httpx2.HTTPError, OSError, RuntimeError, json.JSONDecodeError)


class _RefusedCardError(Exception):
    """The Hub does not take the metadata of a card; it says why."""


def check_access(repo_id: str, *, public: bool, repo_type: str = "model") -> None:
    """Makes sure that a publication will find its way, and its repository: creates that, private unless `public`.

    Without a way to the Hub this takes [`FIRST_ANSWER_S`] at most.

    Args:
        repo_id: `NAMESPACE/NAME`.
        public: whether all may see the repository.
        repo_type: `model`, `dataset` or `space`.

    Raises:
        ValueError: there is no token, it is wrong or may not write there, the name is none or is taken by something
            else, the repository is public and `public` is not said, or the Hub cannot be reached.
    """
    api = _connect(repo_id)
    with _patience(ANSWER_S):
        try:
            _check_may_write(_first_answer(api), repo_id)
            sdk = "gradio" if repo_type == "space" else None
            api.create_repo(repo_id, private=not public, repo_type=repo_type, space_sdk=sdk, exist_ok=True)
            api.auth_check(repo_id, repo_type=repo_type, write=True)
            _check_repository(api.repo_info(repo_id, repo_type=repo_type), public, repo_type)
        except _FAILURES as error:
            raise ValueError(_advice(error, api, repo_id)) from error


def publish_folder(
    folder: Path,
    repo_id: str,
    *,
    public: bool,
    message: str,
    command: str,
    tag: str | None = None,
    repo_type: str = "model",
) -> str:
    """Makes a repository hold the files of a folder, and no others, by one commit; by none where it holds them already.

    The files are read in pieces as they are sent. The folder is left as it is. Whatever else is in the repository is
    removed, which its history keeps, and is named in print.

    Args:
        folder: what is published, with the folders in it.
        repo_id: `NAMESPACE/NAME` of a repository that [`check_access`] has passed.
        public: whether all may see the repository; it is checked again.
        message: of the commit.
        command: what to run again where this fails in the middle, for the error.
        tag: name of the release.
        repo_type: `model`, `dataset` or `space`.

    Returns:
        The address of the commit that holds the files.

    Raises:
        ValueError: as by [`check_access`], the tag is that of other files, the Hub refuses the card, or the connection
            broke. The repository is then as it was, or only lacks the tag; or, where the answer to the commit was lost,
            it holds the files, as the same command will find.
    """
    check_tag(tag)
    api = _connect(repo_id)
    os.environ.setdefault(*XET_BLOCKS)
    with _patience(SILENCE_S):
        try:
            info = api.repo_info(repo_id, repo_type=repo_type)
            _check_repository(info, public, repo_type)
            tags = {ref.name for ref in api.list_repo_refs(repo_id, repo_type=repo_type).tags}
            if tag in tags and _changes(api, folder, repo_id, repo_type, tag):
                raise ValueError(f"{repo_id} has a release {tag} already, with other files: choose another --tag.")
            sha = _commit(api, folder, info, repo_type, message)
            if tag and tag not in tags:
                api.create_tag(repo_id, tag=tag, revision=sha, repo_type=repo_type)
        except (*_FAILURES, _RefusedCardError) as error:
            advice = _advice(error, api, repo_id)
            raise ValueError(f"Publishing {repo_id} stopped. {advice} Then go on with: {command}") from error
    kind = "" if repo_type == "model" else f"{repo_type}s/"
    return f"{api.endpoint}/{kind}{repo_id}/commit/{sha}"


def head_of(repo_id: str, repo_type: str = "model") -> str:
    """The commit that a repository is at; raises what [`check_access`] does."""
    api = _connect(repo_id)
    with _patience(ANSWER_S):
        try:
            return api.repo_info(repo_id, repo_type=repo_type).sha
        except _FAILURES as error:
            raise ValueError(_advice(error, api, repo_id)) from error


def describe_publication(url: str, before: str, tag: str | None = None) -> str:
    """A line on what was done: `url` as [`publish_folder`] returns it, `before` as [`head_of`] did before that."""
    if not url.endswith(before):
        return f"Published: {url}"
    return f"Unchanged, tagged as {tag}: {url}" if tag else f"Unchanged: {url}"


def check_name(repo_id: str) -> None:
    """Checks that a repository can be called so.

    Raises:
        ValueError: it cannot.
    """
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        well_formed = False
    else:
        well_formed = repo_id.count("/") == 1
    if not well_formed:
        raise ValueError(
            f"A repository is called NAMESPACE/NAME, such as my-team/ser-13, in letters, digits, -, _ and .; got "
            f"{repo_id!r}."
        )


def check_tag(tag: str | None) -> None:
    """Checks that a release can be called so, if it is to have a name: the Hub makes of it a reference of git.

    Raises:
        ValueError: it cannot.
    """
    if tag is not None and (not re.fullmatch(r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*", tag) or tag.endswith(".lock")):
        raise ValueError(f"A tag is a word such as v1 or 2026-10.1; got {tag!r}.")


def _connect(repo_id: str) -> HfApi:
    check_name(repo_id)
    token = get_token()
    if token is None:
        raise ValueError(
            "There is no token for the Hub: log in with `hf auth login`, or set HF_TOKEN to a token that may write."
        )
    if not (token.isascii() and token.isprintable()):  # the error of sending it would quote it
        raise ValueError(WRONG_TOKEN)
    return HfApi(token=token)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Lets huggingface_hub's connections, which wait for ever, give up after so many seconds of silence."""

    usual = get_session()
    hooks, redirects = usual.event_hooks, usual.follow_redirects

    def use(timeout: httpx2.Timeout | float) -> None:
        # The client makes itself a new one, by this recipe, after a failure to connect.
        set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=redirects, timeout=timeout))

    before = usual.timeout
    use(seconds)
    try:
        yield
    finally:
        use(before)


def _first_answer(api: HfApi) -> dict:
    """Whose the token is. Asked in a thread: a name look-up has no limit of time, and of addresses each has its own."""
    answer: Future = Future()

    def ask() -> None:
        try:
            answer.set_result(api.whoami())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(FIRST_ANSWER_S)


def _check_may_write(account: dict, repo_id: str) -> None:
    namespace = repo_id.partition("/")[0]
    token = account["auth"].get("accessToken", {})  # a log-in by the browser has none
    if token.get("role") == "read":
        raise ValueError(
            "The token may only read: make one that may write at https://huggingface.co/settings/tokens, and log in "
            "with it (`hf auth login --force`) or set HF_TOKEN to it."
        )
    if token.get("role") == "fineGrained":
        scopes = token["fineGrained"]["scoped"]
        names = [scope["entity"]["name"] for scope in scopes if "repo.write" in scope["permissions"]]
    else:
        names = [account["name"], *(org["name"] for org in account["orgs"] if org.get("roleInOrg") != "read")]
    if not {namespace, repo_id} & {*names}:
        where = f"it may write to {', '.join(names)}" if names else "it may write nowhere"
        raise ValueError(f"The token may not write to {namespace}: {where}. Choose another name, or another token.")


def _check_repository(info: ModelInfo | DatasetInfo | SpaceInfo, public: bool, repo_type: str) -> None:
    if not public and not info.private:
        raise ValueError(
            f"{info.id} is public. To publish for all to see, say so (publish.py --public, train.py "
            "--hub_private_repo false); or make it private in its settings on the Hub, or choose another name."
        )
    if public and info.private:
        raise ValueError(
            f"{info.id} is private. Make it public in its settings on the Hub, or publish it as private, or choose "
            "another name."
        )
    files = {file.rfilename for file in info.siblings} - HARMLESS
    if files and not any(name.startswith(OWNERSHIP_MARKER[repo_type]) for name in files):
        raise ValueError(f"{info.id} holds something else, such as {min(files)}, which would go: choose another name.")


def _commit(api: HfApi, folder: Path, info: ModelInfo | DatasetInfo, repo_type: str, message: str) -> str:
    """Makes the commit, if there is something to change, and returns the one that holds the files."""
    changes = _changes(api, folder, info.id, repo_type, info.sha)
    if not changes:
        return info.sha
    if gone := [change.path_in_repo for change in changes if isinstance(change, CommitOperationDelete)]:
        print(f"Removing from {info.id}, whose history keeps it: {', '.join(gone)}")
    try:
        # upload_folder would make several commits of it, a half-published state between each two.
        commit = api.create_commit(
            info.id, changes, commit_message=message, repo_type=repo_type, parent_commit=info.sha
        )
    except ValueError as error:
        if isinstance(error, _FAILURES):
            raise
        raise _RefusedCardError(" ".join(str(error).split())) from error
    return commit.oid


def _changes(
    api: HfApi, folder: Path, repo_id: str, repo_type: str, revision: str
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """What makes of a revision the files of a folder."""
    compared = api.verify_repo_checksums(repo_id, repo_type=repo_type, revision=revision, local_dir=folder)
    changed = sorted([*compared.extra_paths, *(mismatch["path"] for mismatch in compared.mismatches)])
    gone = [path for path in compared.missing_paths if path != GIT_ATTRIBUTES]
    return [*map(CommitOperationDelete, gone), *(CommitOperationAdd(path, folder / path) for path in changed)]


def _advice(error: Exception, api: HfApi, repo_id: str) -> str:
    """What went wrong and what to do, in a sentence."""
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error  # of a thread's upload
    if isinstance(cause, _RefusedCardError):
        return f"{api.endpoint} refuses the card: {cause}"
    if isinstance(cause, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, which forbids every way to the Hub: unset it."
    if isinstance(cause, httpx2.TransportError | ConnectionError | TimeoutError):
        return f"{api.endpoint} cannot be reached ({type(cause).__name__}): check the network and its proxy."
    if isinstance(cause, json.JSONDecodeError):
        return f"{api.endpoint} does not answer as the Hub does: is there a log-in page or a proxy on the way?"
    if not isinstance(cause, HfHubHTTPError):
        return f"{type(cause).__name__}: {str(cause).replace(str(api.token), '…')}"
    status, said = cause.response.status_code, f" ({cause.server_message})" if cause.server_message else ""
    if status == 401:
        return WRONG_TOKEN
    if status == 403:
        return f"The token may not write to {repo_id}{said}: choose another name, or another token."
    if status == 412:
        return f"{repo_id} has changed meanwhile{said}."
    return f"{api.endpoint} answers {status}{said}" + (": try again later." if status >= 500 else ".")
