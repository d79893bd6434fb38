import os
import time

from inference.uploads import remove_older, temporary_uploads


def make(path, age_s=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")
    return path


def test_a_folder_is_gone_with_all_that_is_in_it():
    with temporary_uploads(keep_s=60) as folder:
        make(folder / "uploads" / "hash" / "clip.wav")
    assert not folder.exists()


def test_files_go_by_themselves_when_nobody_uses_them():
    with temporary_uploads(keep_s=0, every_s=0.01) as folder:
        make(folder / "uploads" / "hash" / "clip.wav")
        deadline = time.monotonic() + 20
        while [*folder.iterdir()] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [*folder.iterdir()] == []


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
