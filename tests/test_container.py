"""What the container is built from; no image is built here."""

import re
import tomllib

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.support.source_files import read_pins

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_copied_exists_and_is_not_ignored():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {name for name in names if not (ROOT / name).exists()} == {"model"}  # an export, which the user puts there
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert names == {line[1:] for line in ignore if line.startswith("!")}


def test_it_runs_without_rights_and_checks_its_health():
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert "/health/ready" in last[last.index("HEALTHCHECK") :]
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["ser"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_its_packages_are_pinned_and_have_no_pytorch():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["onnx-only"]
    requirements, pins = [Requirement(text) for text in group], read_pins()
    assert [str(r) for r in requirements if pins[canonicalize_name(r.name)] not in r.specifier] == []
    assert not {r.name for r in requirements} & {"torch", "transformers", "accelerate", "datasets"}
