"""The scripts as they are typed, in a process of their own or in this one."""

import os
import runpy
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.loopback_hub import ACCOUNTS


def start(*command, code=0):
    """Runs Python in the project's root, as a user does, and returns what it printed."""
    command = [sys.executable, *map(str, command)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def refusal(monkeypatch, script, *arguments):
    """The message with which a script ends, run in this process; Python prints it and ends with code 1."""
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    assert isinstance(end.value.code, str)
    assert len(end.value.code.splitlines()) == 1
    assert end.value.code.startswith(f"{script}: ")
    return end.value.code.removeprefix(f"{script}: ")


def run_with_hub(hub, script, *arguments, code=0, **environment) -> subprocess.CompletedProcess:
    """Runs a script in a process of its own whose Hub is the stand-in; no token may be in what it prints."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "hf_writer",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(hub.folder / "home"),
        "OMP_NUM_THREADS": "1",
        **environment,
    }
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not [secret for secret in ACCOUNTS if secret in done.stdout + done.stderr]
    return done


def publish_in_process(monkeypatch, *arguments, token="") -> None:
    """Runs publish.py in this process, which is offline if it has not been connected."""
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(sys, "argv", ["publish.py", *map(str, arguments)])
    runpy.run_path(str(ROOT / "publish.py"), run_name="__main__")
