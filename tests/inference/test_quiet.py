import subprocess
import sys

import numpy as np
import soundfile

from tests.conftest import ROOT

SCRIPT = """
import os, sys, ctypes
import soundfile
from inference.quiet import quiet_c_libraries
if sys.argv[2] == "quiet":
    quiet_c_libraries()
with soundfile.SoundFile(sys.argv[1]) as file:
    file.read()
print("said by Python", file=sys.stderr)
os.write(2, b"said by the system\\n")
"""


def test_what_a_decoder_prints_is_not_in_a_log(tmp_path):
    file = tmp_path / "damaged.mp3"
    soundfile.write(file, 0.3 * np.sin(np.arange(160_000) / 20), 16_000, format="MP3")
    content, random = bytearray(file.read_bytes()), np.random.default_rng(0)
    for place in random.integers(200, len(content), 200):
        content[place] = random.integers(256)
    file.write_bytes(bytes(content))
    said = {}
    for how in ("loud", "quiet"):
        command = [sys.executable, "-c", SCRIPT, str(file), how]
        said[how] = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr.splitlines()
    own = ["said by Python", "said by the system"]
    assert said["quiet"] == own
    assert said["loud"][-2:] == own
    assert len(said["loud"]) > 2
