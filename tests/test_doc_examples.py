"""The Python examples of README and docs run as they stand there, with a small checkpoint and demo recordings."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

SPEAK = """
from pathlib import Path
from preprocessing.demo import corpus
corpus.SENTENCES = {"en-US": corpus.SENTENCES["en-US"]}
corpus.write_demo_corpus(Path("prepared/demo_corpus"))
(clip,) = Path("prepared/demo_corpus/wav/en-US").glob("m3_happy_*.wav")
clip.rename(clip.with_name("m3_happy_0.wav"))  # its number in the whole corpus
"""
# Page -> which block of Python a command of that page has to precede, and that command.
COMMANDS = {
    "docs/jobs/calls.md": (
        1,
        "predict.py calls --model runs/demo --timeline --channels each --wide --output calls.csv",
    ),
    "docs/jobs/onnx.md": (0, "-m inference.onnx runs/demo --output onnx/demo --precision float32 int8"),
}
FAILS = {"docs/jobs/calls.md"}  # one of its files is broken, which sets the exit status
TESTED_ELSEWHERE = {
    "docs/adding_a_corpus.md": "test_docs.py",
    "docs/encoders.md": "test_docs.py",
    "docs/protocols.md": "test_docs.py",
    "docs/jobs/service.md": "test_service_doc.py, which starts the service",
    "docs/jobs/space.md": "test_app.py, which starts the page",
    "model_card.md": "test_publish.py, filled in",
}
PAGES = {
    path.relative_to(ROOT).as_posix(): re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
}
PAGES = {page: blocks for page, blocks in PAGES.items() if blocks and page not in TESTED_ELSEWHERE}


@pytest.fixture(scope="module")
def workspace(checkpoint, tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "runs").mkdir()
    (folder / "runs/demo").symlink_to(checkpoint)
    (folder / "models").symlink_to(ROOT / "models")
    run(folder, "-c", SPEAK)
    shutil.copy(folder / "prepared/demo_corpus/wav/en-US/m3_happy_0.wav", folder / "clip.wav")
    return folder


def run(folder, *arguments, check=True):
    subprocess.run([sys.executable, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=check)


def code_of(block: str) -> str:
    """What is typed in a block: all of it, or what stands behind the prompts."""
    typed = re.findall(r"^(?:>>>|\.\.\.) ?(.*)$", block, re.MULTILINE)
    return "\n".join(typed) if typed else block


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(workspace, page):
    before, command = COMMANDS.get(page, (None, ""))
    for number, block in enumerate(PAGES[page]):
        if number == before:
            script, *arguments = command.split()
            run(workspace, *([script] if script == "-m" else [str(ROOT / script)]), *arguments, check=page not in FAILS)
        run(workspace, "-c", code_of(block))


def test_every_page_with_examples_is_tested():
    assert len(PAGES) >= 5
    assert all((ROOT / page).is_file() for page in [*COMMANDS, *TESTED_ELSEWHERE])
