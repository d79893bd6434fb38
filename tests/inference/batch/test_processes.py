import os
import subprocess
import sys

import pytest

from inference.batch.processes import join_processes
from tests.conftest import ROOT


def test_a_single_process_acts_itself_and_raises_its_error(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    process = join_processes()
    assert (process.num_processes, process.process_index, process.is_main_process) == (1, 0, True)
    process.wait_for_everyone()
    with pytest.raises(ValueError, match="twice"):
        process.in_first(lambda: int("twice"))
    assert process.in_first(lambda: 3) == 3


_SCRIPT = """
import os, sys
from inference.batch.processes import join_processes
from inference.engine import precision_check
from inference.engine.precision import Choice
from inference.engine.predictor import load_predictor

is_first, has_bfloat16 = os.environ["RANK"] == "0", sys.argv[2] == "all" or os.environ["RANK"] == "0"
own = Choice("bfloat16" if is_first else "float32", "measured")  # as on machines of two kinds
precision_check.check_precision = lambda *_: own
precision_check.has_bfloat16 = lambda: has_bfloat16
predictor = load_predictor(sys.argv[1], precision="auto", in_first=join_processes().in_first)
os.write(1, f"computes in {predictor.precision}\\n".encode())  # at once, so that lines do not mix
"""


def _start_two(checkpoint, tmp_path, who_has_bfloat16):
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    return subprocess.run(
        [*launch, str(script), str(checkpoint), who_has_bfloat16],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_processes_that_would_choose_differently_compute_in_what_the_first_one_chose(checkpoint, tmp_path):
    done = _start_two(checkpoint, tmp_path, "all")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("computes in bfloat16") == 2
    assert done.stderr.count("Precision:") == 1


@pytest.mark.slow
def test_a_process_that_cannot_compute_in_what_the_first_one_chose_ends_the_run(checkpoint, tmp_path):
    done = _start_two(checkpoint, tmp_path, "first")
    assert done.returncode != 0
    assert "--precision float32" in done.stderr
