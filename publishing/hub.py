"""A folder -> one commit on the Hub."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from .hub_access import (
    FAILURES,
    GIT_ATTRIBUTES,
    UPLOAD_S,
    HubError,
    RefusedCardError,
    check_repository,
    check_tag,
    connection,
)

# Xet uploads blocks of 64 MB, on a fast line up to 64 of them at a time, all in memory.
XET_BLOCKS = ("HF_XET_CLIENT_AC_MAX_UPLOAD_CONCURRENCY", "2")


def staging_folder(source: Path) -> TemporaryDirectory:
    """A temporary folder to export a checkpoint or a prepared folder to.

    It is next to `source`, so that weights can be linked without copying; where that is not writable, or `source` is
    not a path, it is among the system's temporary files.
    """
    parent = source.resolve().parent
    return TemporaryDirectory(prefix=".publication-", dir=parent if os.access(parent, os.W_OK) else None)


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
    """Makes a repository hold exactly the files of a folder, with one commit, or none if it holds them already.

    Files are read in pieces as they are uploaded. Other files of the repository are removed, which prints their names;
    its history keeps them.

    Args:
        folder: files and folders to publish.
        repo_id: `NAMESPACE/NAME` of a repository that passed [`~publishing.hub_access.check_access`].
        public: whether the repository is public; it is checked again.
        message: message of the commit.
        command: command that resumes after a failure, for its message.
        tag: name of the release.
        repo_type: `model`, `dataset` or `space`.

    Returns:
        The URL of the commit that holds the files.

    Raises:
        ValueError: as by [`~publishing.hub_access.check_access`], or the tag belongs to other files, the Hub refuses
            the card, or the connection fails. The repository is then unchanged, or only lacks the tag; if the response
            to the commit was lost, it holds the files, and the same command detects that.
    """
    check_tag(tag)
    os.environ.setdefault(*XET_BLOCKS)
    try:
        with connection(repo_id, UPLOAD_S) as api:
            info = api.repo_info(repo_id, repo_type=repo_type)
            check_repository(info, public, repo_type)
            tags = {ref.name for ref in api.list_repo_refs(repo_id, repo_type=repo_type).tags}
            if tag in tags and _changes(api, folder, repo_id, repo_type, tag):
                raise ValueError(f"{repo_id} already has a release {tag} with other files: choose another --tag.")
            sha = _commit(api, folder, info, repo_type, message)
            if tag and tag not in tags:
                api.create_tag(repo_id, tag=tag, revision=sha, repo_type=repo_type)
    except HubError as error:
        raise ValueError(f"Publishing {repo_id} failed. {error} To resume, run: {command}") from error
    kind = "" if repo_type == "model" else f"{repo_type}s/"
    return f"{api.endpoint}/{kind}{repo_id}/commit/{sha}"


def head_of(repo_id: str, repo_type: str = "model") -> str:
    """The commit of the main branch of a repository; raises what [`~publishing.hub_access.check_access`] does."""
    with connection(repo_id) as api:
        return str(api.repo_info(repo_id, repo_type=repo_type).sha)


def describe_publication(url: str, before: str, tag: str | None = None) -> str:
    """A line about a publication.

    Args:
        url: as returned by [`publish_folder`].
        before: as returned by [`head_of`] before it.
        tag: name of the release.
    """
    if not url.endswith(before):
        return f"Published: {url}"
    return f"Unchanged, tagged as {tag}: {url}" if tag else f"Unchanged: {url}"


def _commit(api: HfApi, folder: Path, info: Any, repo_type: str, message: str) -> str:
    """Creates the commit, unless nothing changes, and returns the one that holds the files."""
    changes = _changes(api, folder, info.id, repo_type, info.sha)
    if not changes:
        return info.sha
    if removed := [change.path_in_repo for change in changes if isinstance(change, CommitOperationDelete)]:
        print(f"Removing from {info.id} (kept in its history): {', '.join(removed)}")
    try:
        # upload_folder would create several commits, with a partial publication between them.
        commit = api.create_commit(
            info.id, changes, commit_message=message, repo_type=repo_type, parent_commit=info.sha
        )
    except ValueError as error:
        if isinstance(error, FAILURES):
            raise
        raise RefusedCardError(" ".join(str(error).split())) from error
    return commit.oid


def _changes(
    api: HfApi, folder: Path, repo_id: str, repo_type: str, revision: str
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """The operations that turn a revision into the files of a folder."""
    compared = api.verify_repo_checksums(repo_id, repo_type=repo_type, revision=revision, local_dir=folder)
    changed = sorted([*compared.extra_paths, *(mismatch["path"] for mismatch in compared.mismatches)])
    removed = [path for path in compared.missing_paths if path != GIT_ATTRIBUTES]
    return [*map(CommitOperationDelete, removed), *(CommitOperationAdd(path, folder / path) for path in changed)]
