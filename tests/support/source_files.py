"""The files of the project: its packages, scripts and benchmarks, what git tracks, and the pinned versions."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

PACKAGE_NAMES = "common modeling preprocessing evaluation training inference publishing".split()
SCRIPTS = [ROOT / f"{name}.py" for name in ("prepare", "train", "evaluate", "predict", "app", "publish")]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))  # each a script, run as a module; they may import everything
PACKAGES = [ROOT / name for name in PACKAGE_NAMES]
MODULES = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]


def name_of(path: Path) -> str:
    """The path below the root."""
    return str(path.relative_to(ROOT))


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


def tracked_files() -> list[Path]:
    """The files that git tracks, or would if they were added."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def read_pins() -> dict[str, Version]:
    """The versions of `constraints.txt`."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, separator, version = line.partition("==")
        assert separator, f"constraints.txt: {line} does not pin a version"
        pins[canonicalize_name(name)] = Version(version)
    return pins
