import re
import subprocess

import pytest

from common import versions as module
from common.versions import PROJECT, UNKNOWN, versions
from tests.conftest import ROOT

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    return tmp_path


def git(folder, *arguments) -> str:
    try:
        return subprocess.run(
            [*GIT, "-C", folder, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()
    except FileNotFoundError:
        pytest.skip("git is not installed")


def test_a_checkout_has_a_commit_and_a_mark_if_files_differ(checkout):
    git(checkout, "init", "--quiet")
    (checkout / "code.py").write_text("a = 1\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "First")
    commit = git(checkout, "rev-parse", "HEAD")
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    assert versions()["commit"] == commit
    (checkout / "code.py").write_text("a = 2\n")
    module._commit.cache_clear()
    assert versions()["commit"] == f"{commit}-dirty"


@pytest.mark.parametrize("inside", [False, True])
def test_elsewhere_the_commit_is_unknown(checkout, monkeypatch, inside):
    if inside:  # an installation in somebody else's checkout
        git(checkout, "init", "--quiet")
        (checkout / "packages").mkdir()
        monkeypatch.setattr(module, "_ROOT", checkout / "packages")
    assert versions()["commit"] == UNKNOWN


def test_without_git_the_commit_is_unknown(checkout, monkeypatch):
    (checkout / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert versions()["commit"] == UNKNOWN


def test_the_projects_version_and_the_libraries_are_named():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = versions("numpy", "torch")
    assert list(found) == [PROJECT, "commit", "numpy", "torch"]
    assert f'name = "{PROJECT}"' in text
    assert f'version = "{found[PROJECT]}"' in text
