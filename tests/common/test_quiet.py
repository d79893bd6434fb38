import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys, ctypes
import soundfile
from common.quiet import quiet_c_libraries
if sys.argv[2] == "quiet":
    quiet_c_libraries()
    quiet_c_libraries()  # once more changes nothing
with soundfile.SoundFile(sys.argv[1]) as file:
    file.read()
print("printed by Python", file=sys.stderr)
os.write(2, b"printed by the system\\n")
"""


@pytest.fixture
def damaged(tmp_path):
    """An MP3 file that makes mpg123 print a lot to stderr."""
    file = tmp_path / "happy" / "damaged.mp3"
    file.parent.mkdir()
    soundfile.write(file, 0.3 * np.sin(np.arange(160_000) / 20), 16_000, format="MP3")
    content, random = bytearray(file.read_bytes()), np.random.default_rng(0)
    for place in random.integers(200, len(content), 200):
        content[place] = random.integers(256)
    file.write_bytes(bytes(content))
    return file


def test_what_a_decoder_prints_is_not_in_a_log(damaged):
    printed = {}
    for how in ("loud", "quiet"):
        command = [sys.executable, "-c", SCRIPT, str(damaged), how]
        printed[how] = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr.splitlines()
    own = ["printed by Python", "printed by the system"]
    assert printed["quiet"] == own
    assert printed["loud"][-2:] == own
    assert len(printed["loud"]) > 2


def test_workers_print_nothing_either(damaged):
    measure = (
        "import sys; from inference.curation.score_cache import measure; assert 'error' not in measure(sys.argv[1])"
    )
    command = [sys.executable, "-c", measure, str(damaged)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr == ""


def test_a_preparation_prints_nothing_unless_on_a_terminal(damaged, tmp_path):
    command = [sys.executable, "prepare.py", "--corpus", f"folder={tmp_path}", "--locale", "en-US"]
    command += ["--output", str(tmp_path / "prepared"), "--num_proc", "1"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr == ""
