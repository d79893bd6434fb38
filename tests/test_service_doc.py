"""The clients of docs/jobs/service.md get their outputs from a service."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.service import ServiceProcess

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/jobs/service.md").read_text(encoding="utf-8")
SPEAK = """
import sys
from pathlib import Path
from inference.web.examples import write_examples
files = write_examples(Path(sys.argv[1]))
next(iter(files.values())).rename(Path(sys.argv[1], "clip.wav"))
"""


def blocks(language: str, text: str) -> list[str]:
    """Code of a language that contains a text."""
    return [code for code in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if text in code]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("client")
    subprocess.run([sys.executable, "-c", SPEAK, str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def service(checkpoint, tmp_path_factory):
    with ServiceProcess(checkpoint, tmp_path_factory.mktemp("temporary")) as service:
        yield service


def run(service, folder, *command):
    local = [part.replace("http://localhost:8000", service.url) for part in command]
    local = [part.replace("ws://localhost:8000", service.url.replace("http", "ws")) for part in local]
    return subprocess.run(local, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def test_curl(service, folder):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    [code] = blocks("bash", "curl")
    assert len(code.splitlines()) <= 5
    assert '"emotion":[{"label":' in run(service, folder, "bash", "-ec", code)
    assert "-->" in (folder / "clip.srt").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["import requests", "import connect"])
def test_python(service, folder, text):
    pytest.importorskip("requests")
    [code] = blocks("python", text)
    assert re.search(r"\(\d+\.\d+, '(angry|happy|sad)'\)", run(service, folder, sys.executable, "-c", code))


def test_javascript(service, folder):
    if not shutil.which("node"):
        pytest.skip("Node is not installed")
    [code] = blocks("javascript", "fetch")
    assert len(code.splitlines()) <= 5
    printed = run(service, folder, "node", "--input-type=module", "--no-warnings", "-e", code)
    assert printed.strip() in ("angry", "happy", "sad")
