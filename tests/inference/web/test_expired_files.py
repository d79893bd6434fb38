import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inference.web.expired_files import deleting_expired_files, remove_older, size_of, temporary_folder
from tests.conftest import ROOT


def make(path, content=b"sound"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_with_all_that_is_in_it(temporary):
    with temporary_folder() as folder:
        make(folder / "uploads" / "hash" / "clip.wav")
    assert [*temporary.iterdir()] == []


HOLD = """
import sys, time
from inference.web.expired_files import temporary_folder
with temporary_folder() as folder:
    (folder / "clip.wav").write_bytes(b"sound")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_goes_and_what_another_uses_stays(temporary):
    held = make(temporary / "recordings-of-somebody-else" / "clip.wav")  # it has no lock
    command = [sys.executable, "-c", HOLD]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        killed, running = (Path(process.stdout.readline().strip()) for process in processes)
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()
        assert (killed / "clip.wav").exists()
        with temporary_folder() as mine:
            assert {*temporary.iterdir()} == {running, mine, held.parent}
        assert (running / "clip.wav").exists()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_files_go_by_themselves_when_nobody_uses_them(tmp_path):
    with deleting_expired_files(tmp_path, keep_s=0, every_s=0.01):
        make(tmp_path / "uploads" / "hash" / "clip.wav")
        deadline = time.monotonic() + 20
        while [*tmp_path.iterdir()] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [*tmp_path.iterdir()] == []


def test_what_is_in_use_stays(tmp_path):
    old, used = (make(tmp_path / name / "clip.wav") for name in ("old", "used"))
    os.utime(old, (0, 0))  # the times that a copy brings along do not count
    began = time.time()
    remove_older(tmp_path, 60)
    assert old.exists()
    while used.stat().st_ctime <= began:  # clocks of file systems are coarse
        used.touch()
    remove_older(tmp_path, time.time() - (began + used.stat().st_ctime) / 2)
    assert used.exists()
    assert not old.exists()


def test_a_folder_is_as_large_as_its_files(tmp_path):
    assert size_of(tmp_path / "not there yet") == 0
    for name, size in (("a/b/clip.wav", 1000), ("c.wav", 20)):
        make(tmp_path / name, bytes(size))
    (tmp_path / "link").symlink_to("nowhere")
    assert 1020 <= size_of(tmp_path) < 20_000  # folders count as what they take themselves
