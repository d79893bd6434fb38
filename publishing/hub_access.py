"""Connections to the Hub: names, tokens and time limits, access to a repository, and errors as sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from huggingface_hub import HfApi, get_session, get_token, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id

CONNECT_S = 4.0  # to connect
RESPONSE_S = 10.0  # without data, where nothing is uploaded
UPLOAD_S = 120.0  # without data, during an upload
GIT_ATTRIBUTES = ".gitattributes"  # a file of the Hub, which lists what is stored as large files
# A file or folder that every publication has, by type: a repository without it holds somebody's other work.
OWNERSHIP_MARKER = {"model": "configuration_ser.py", "dataset": "data/", "space": "inference/"}
_INITIAL_FILES = {GIT_ATTRIBUTES, "README.md", "LICENSE"}  # of a repository that was created by hand
_WRONG_TOKEN = (
    "The Hub rejects the token: log in with `hf auth login --force`, or replace HF_TOKEN, which overrides it."
)

# Errors of the client where the Hub or the network fails. xet and LFS raise RuntimeErrors and OSErrors; a response that
# is not JSON comes from a proxy or a login page.
FAILURES = (httpx2.HTTPError, OSError, RuntimeError, json.JSONDecodeError)


class HubError(ValueError):
    """A request to the Hub failed, for the reason in its message."""


class RefusedCardError(Exception):
    """The Hub refuses the metadata of a card, for the reason in its message."""


def check_access(repo_id: str, *, public: bool, repo_type: str = "model") -> None:
    """Checks that a publication will be possible, and creates its repository, private unless `public`.

    Args:
        repo_id: `NAMESPACE/NAME`.
        public: whether the repository is public.
        repo_type: `model`, `dataset` or `space`.

    Raises:
        ValueError: the token is missing, wrong or may not write there; the name is not valid or belongs to other work;
            the visibility of the repository is another one; or the Hub cannot be reached.
    """
    with connection(repo_id) as api:
        sdk = "gradio" if repo_type == "space" else None
        api.create_repo(repo_id, private=not public, repo_type=repo_type, space_sdk=sdk, exist_ok=True)
        api.auth_check(repo_id, repo_type=repo_type, write=True)
        check_repository(api.repo_info(repo_id, repo_type=repo_type), public, repo_type)


@contextmanager
def connection(repo_id: str, timeout_s: float | None = None) -> Iterator[HfApi]:
    """A client of the Hub, whose failures become [`HubError`]s.

    Args:
        repo_id: repository of the requests, for messages.
        timeout_s: limit of a period without data, [`RESPONSE_S`] by default.
    """
    check_name(repo_id)
    token = get_token()
    if token is None:
        raise ValueError(
            "The Hub needs a token: log in with `hf auth login`, or set HF_TOKEN to a token with write access."
        )
    if not (token.isascii() and token.isprintable()):  # the client's own error would contain it
        raise ValueError(_WRONG_TOKEN)
    api = HfApi(token=token)
    try:
        with _timeout(RESPONSE_S if timeout_s is None else timeout_s):
            yield api
    except (*FAILURES, RefusedCardError) as error:
        raise HubError(_describe(error, api, repo_id)) from error


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Limits the time of huggingface_hub's connections, which is unlimited by default."""
    session = get_session()
    hooks, redirects = session.event_hooks, session.follow_redirects

    def use(timeout: httpx2.Timeout) -> None:
        # The client uses this factory again after a failure to connect.
        set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=redirects, timeout=timeout))

    before = session.timeout
    use(httpx2.Timeout(seconds, connect=CONNECT_S))
    try:
        yield
    finally:
        use(before)


def check_name(repo_id: str) -> None:
    """Checks the name of a repository.

    Raises:
        ValueError: it is not valid.
    """
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        well_formed = False
    else:
        well_formed = repo_id.count("/") == 1
    if not well_formed:
        raise ValueError(
            f"{repo_id!r} is not a valid repository: expected NAMESPACE/NAME, such as my-team/ser-13, of "
            "letters, digits, "
            "-, _ and ."
        )


def check_tag(tag: str | None) -> None:
    """Checks the name of a release, of which the Hub makes a reference of git; `None` is valid.

    Raises:
        ValueError: it is not valid.
    """
    if tag is not None and (not re.fullmatch(r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*", tag) or tag.endswith(".lock")):
        raise ValueError(f"--tag {tag!r} is not valid: expected a word such as v1 or 2026-10.1.")


def check_repository(info: Any, public: bool, repo_type: str) -> None:
    """Raises a `ValueError` if a repository, as `HfApi.repo_info` returns it, is not as private or holds other work."""
    if not public and not info.private:
        raise ValueError(
            f"{info.id} is public. To publish publicly, add --public (publish.py) or --hub_private_repo false "
            "(train.py); "
            "otherwise make it private in its settings on the Hub, or choose another name."
        )
    if public and info.private:
        raise ValueError(
            f"{info.id} is private. Make it public in its settings on the Hub, publish privately, or choose "
            "another name."
        )
    files = {file.rfilename for file in info.siblings or ()} - _INITIAL_FILES
    if files and not any(name.startswith(OWNERSHIP_MARKER[repo_type]) for name in files):
        raise ValueError(
            f"{info.id} holds other work, such as {min(files)}, which would be removed: choose another name."
        )


def _describe(error: Exception, api: HfApi, repo_id: str) -> str:
    """The failure and its remedy, in a sentence."""
    cause: BaseException = error
    if isinstance(error, RuntimeError) and error.__cause__:  # of an upload in a thread
        cause = error.__cause__
    if isinstance(cause, RefusedCardError):
        return f"{api.endpoint} refuses the card: {cause}"
    if isinstance(cause, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, which disables the Hub: unset it."
    if isinstance(cause, httpx2.TransportError | ConnectionError | TimeoutError):
        return f"{api.endpoint} cannot be reached ({type(cause).__name__}): check network and proxy."
    if isinstance(cause, json.JSONDecodeError):
        return f"{api.endpoint} does not respond as the Hub does; a login page or a proxy may have responded instead."
    if not isinstance(cause, HfHubHTTPError):
        return f"{type(cause).__name__}: {str(cause).replace(str(api.token), '…')}"
    status, reason = cause.response.status_code, f" ({cause.server_message})" if cause.server_message else ""
    if status == 401:
        return _WRONG_TOKEN
    if status == 403:
        return f"The token may not write to {repo_id}{reason}: choose another name, or another token."
    if status == 412:
        return f"{repo_id} was changed by another commit meanwhile{reason}."
    return f"{api.endpoint} responded with {status}{reason}" + (": try again later." if status >= 500 else ".")
