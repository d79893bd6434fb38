"""Long jobs that are killed, on a full disk or without a worker: then the same command ends as if nothing had been.

`make stress` kills each of them at twenty moments, of which the suite has two.
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from common.checkpoint import load_checkpoint
from common.outputs import RECORD
from tests.conftest import ROOT, voice
from tests.support.audio_clips import prepared_clips, write_table
from tests.support.crash_recovery import contents, kill, kill_workers, restart_server, run, start
from tests.support.loopback_hub import serve
from tests.support.small_models import FAMILIES
from training.resume import checkpoint_to_resume

pytestmark = pytest.mark.slow

MOMENTS = [*range(2), *(pytest.param(moment, marks=pytest.mark.stress) for moment in range(2, 20))]
JOBS = ("prepare.py", "train.py", "predict.py", "publish.py")
# Three trainings each. Whisper's code differs the most from that of wav2vec 2.0, with which everything else is tested.
FAMILY_PARAMS = [name if name == "whisper" else pytest.param(name, marks=pytest.mark.stress) for name in FAMILIES]


@dataclass(frozen=True)
class Job:
    """A script, its arguments for an output, what it leaves there, and what else it may leave when it ends."""

    script: str
    arguments: Callable[[Path], list]
    result: Callable[[Path], dict]

    def __call__(self, output: Path, log: Path, **how) -> str:
        code, printed = run(self.script, *self.arguments(output), log=log, **how)
        assert (code, "Traceback" in printed) == (how.get("full", 0), False), printed
        return printed


def prepared_files(output):
    return {"clips": prepared_clips(output), **contents(output, "clips/*")}


def trained_files(output):
    last = max(output.glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))
    history = json.loads((last / "trainer_state.json").read_text())["log_history"]
    record = json.loads((output / "training.json").read_text())
    del record["seconds"]  # which is unknown after a training was resumed
    timings = re.compile("_(runtime|per_second)$")
    losses = [{name: value for name, value in line.items() if not timings.search(name)} for line in history]
    files = contents(output, "checkpoint-*")
    del files["training.json"]
    return {**files, "losses": losses, "record": record}


def training_of(data: Path, config: Path) -> Job:
    def arguments(output):
        return [
            *("--data", data, "--config_name", config, "--tasks", "emotion", "gender", "f0_mean"),
            *("--freeze", "none", "--report_to", "none", "--disable_tqdm", "true"),
            *("--per_device_train_batch_size", "16", "--gradient_accumulation_steps", "1", "--logging_steps", "1"),
            *("--num_train_epochs", "2", "--dataloader_num_workers", "0", "--resume_from_checkpoint", "latest"),
            *("--output_dir", output),
        ]

    return Job("train.py", arguments, trained_files)


def predicted_rows(output):
    return {"rows": (output / "rows.jsonl").read_text().splitlines()}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A Hub on this machine, to which the scripts turn, because they are started after it."""
    with serve(tmp_path_factory.mktemp("hub")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", server.url)
        patch.setenv("HF_TOKEN", "hf_writer")
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        patch.setenv("HF_HUB_OFFLINE", "0")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        restart_server()  # an earlier test may have started it, with another environment
        yield server


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Where the training that nothing disturbs leaves its checkpoint."""
    return tmp_path_factory.mktemp("trained") / "run"


@pytest.fixture(scope="module")
def jobs(hub, prepared, backbone_config, trained, tmp_path_factory) -> dict[str, Job]:
    folder = tmp_path_factory.mktemp("input")
    table = write_table(folder / "corpora", {"a": 30, "b": 30, "c": 30})
    calls = folder / "calls"
    calls.mkdir()
    for index in range(40):
        soundfile.write(calls / f"{index:02}.wav", voice(0.3 + index % 4 / 10, 90 + 3 * index, index), 16_000)
    arguments = {
        "prepare.py": lambda output: [
            *("--corpus", f"table={table}", "--min_duration_s", "0.1", "--num_proc", "2", "--output", output)
        ],
        "predict.py": lambda output: [
            calls,
            "--model",
            trained,
            "--batch_size",
            "1",
            "--output",
            output / "rows.jsonl",
        ],
        "publish.py": lambda output: [trained, "--repo", f"tester/{output.name}", "--tag", "v1"],
    }

    def published_files(output):
        repo = hub.repos["model", f"tester/{output.name}"]
        name = output.name.encode()
        files = {path: hub.content(file).replace(name, b"NAME") for path, file in repo.head.tree.items()}
        return {**files, "commits": len(repo.commits), "tagged": repo.tags == {"v1": repo.head.sha}}

    results = {"prepare.py": prepared_files, "predict.py": predicted_rows, "publish.py": published_files}
    others = {name: Job(name, arguments[name], result) for name, result in results.items()}
    jobs = {**others, "train.py": training_of(prepared, backbone_config)}
    return {name: jobs[name] for name in JOBS}  # in this order: a later one takes what an earlier one left


@pytest.fixture(scope="module")
def undisturbed(jobs, trained, tmp_path_factory) -> dict[str, tuple[dict, float]]:
    """What each job leaves when nothing happens, and the seconds that it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    jobs["prepare.py"](folder / "first", folder / "log")  # with which the server starts
    found = {}
    for name, job in jobs.items():
        output = trained if name == "train.py" else folder / name
        began = time.monotonic()
        job(output, folder / f"{name}.log")
        found[name] = job.result(output), time.monotonic() - began
    return found


def differing(found: dict, whole: dict) -> list[str]:
    return sorted(name for name in found.keys() | whole if found.get(name) != whole.get(name))


def finished(output: Path) -> bool:
    """Whether a job that writes rows had ended, and would refuse to do it again."""
    return (output / "rows.jsonl").exists() and not (output / "rows.jsonl.partial" / "settings.json").exists()


def check_nothing_is_half(script: str, output: Path, job: Job, whole: dict) -> None:
    """What a killed job left is either whole, or is not taken for it."""
    if script == "prepare.py":
        with contextlib.suppress(ValueError):
            assert prepared_clips(output) == whole["clips"]
    if script == "train.py" and output.exists():
        if resume_from := checkpoint_to_resume(output, "latest"):
            load_checkpoint(resume_from)
        for name, content in contents(output, "checkpoint-*").items():
            if name in ("config.json", "preprocessor_config.json"):  # transformers', which go without a file's end
                with contextlib.suppress(json.JSONDecodeError):
                    json.loads(content)
                    assert content == whole[name]
            elif name == RECORD:  # it grows: each step adds what it is about to write
                assert json.loads(content).items() <= json.loads(whole[name]).items()
            elif name != "training.json" and not name.endswith(".unfinished"):
                assert content == whole.get(name), name
    if script == "predict.py" and (output / "rows.jsonl").exists():
        assert job.result(output) == whole
    if script == "publish.py":
        with contextlib.suppress(KeyError):
            files = job.result(output)
            assert files["commits"] == 1 or differing(files | {"tagged": True}, whole) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("script", JOBS)
def test_a_job_that_is_killed_ends_by_the_same_command_as_if_nothing_had_been(
    jobs, undisturbed, tmp_path, script, moment
):
    job, (whole, seconds) = jobs[script], undisturbed[script]
    output = tmp_path / f"killed-{moment}"
    process = start(script, *job.arguments(output), log=tmp_path / "log")
    process.join(random.Random(f"{script} {moment}").uniform(0, seconds))
    kill(process)
    check_nothing_is_half(script, output, job, whole)
    if not finished(output):
        job(output, tmp_path / "log")
    assert differing(job.result(output), whole) == []
    assert [path.name for path in tmp_path.rglob("*") if path.suffix in (".unfinished", ".partial")] == []


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("family", FAMILY_PARAMS)
def test_a_training_of_every_family_that_is_killed_after_a_checkpoint_resumes_to_the_same_weights(
    prepared, tmp_path, family
):
    FAMILIES[family].config.to_json_file(tmp_path / "config.json")
    training = training_of(prepared, tmp_path / "config.json")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    training(whole, tmp_path / "log")
    process = start("train.py", *training.arguments(killed), log=tmp_path / "log")
    while checkpoint_to_resume(killed, "latest") is None:
        assert process.is_alive()
        time.sleep(0.001)
    kill(process)
    assert process.exitcode == -signal.SIGKILL
    training(killed, tmp_path / "log")
    assert json.loads((killed / "training.json").read_text())["seconds"] is None  # as it was resumed
    found = training.result(killed)
    assert {"model.safetensors", "losses", "metrics.json"} <= found.keys()
    assert differing(found, training.result(whole)) == []


@pytest.mark.parametrize("script", JOBS)
def test_a_full_disk_is_reported_and_with_room_the_same_command_ends(jobs, undisturbed, tmp_path, script):
    output = tmp_path / "small-disk"
    last_line = jobs[script](output, tmp_path / "log", full=True).splitlines()[-1]
    assert last_line.startswith(f"{script}: ")
    assert "File too large" in last_line
    jobs[script](output, tmp_path / "log")
    assert differing(jobs[script].result(output), undisturbed[script][0]) == []


@pytest.mark.parametrize(
    ("script", "more"), [("prepare.py", []), ("train.py", ["--dataloader_num_workers", "1"])], ids=["prepare", "train"]
)
def test_a_worker_that_is_killed_is_reported_and_the_same_command_ends(jobs, undisturbed, tmp_path, script, more):
    job, output = jobs[script], tmp_path / "output"
    process = start(script, *job.arguments(output), *more, log=tmp_path / "log")
    kill_workers(process)
    printed = (tmp_path / "log").read_text()
    assert (process.exitcode, "Traceback" in printed) == (1, False), printed
    assert re.search(rf"{script}: .*(killed|exited).*\bcommand\b", printed, re.IGNORECASE)
    job(output, tmp_path / "log")
    assert differing(job.result(output), undisturbed[script][0]) == []


@pytest.fixture
def disk(tmp_path) -> Path:
    """A disk of 16 kB, where who runs the tests may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=16k", "tmpfs", folder):
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def mount(*arguments) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    return False


@pytest.mark.parametrize("script", JOBS[:3])
def test_a_read_only_disk_is_refused_before_any_work(jobs, undisturbed, disk, tmp_path, script):
    assert mount("-o", "remount,ro", disk)
    code, printed = run(script, *jobs[script].arguments(disk / "output"), log=tmp_path / "log")
    assert code == 1
    assert re.fullmatch(rf"(?i){script}: {disk}/output\S* .*read-only.*\n", printed.splitlines(keepends=True)[-1])
    assert "%" not in printed  # of progress


@pytest.mark.stress
@pytest.mark.parametrize("script", JOBS[:3])
def test_a_small_disk_is_reported_and_a_larger_one_is_filled_by_the_same_command(
    jobs, undisturbed, disk, tmp_path, script
):
    output = disk / "output"
    code, printed = run(script, *jobs[script].arguments(output), log=tmp_path / "log")
    assert (code, "Traceback" in printed) == (1, False), printed
    assert re.match(rf"{script}: .*(No space left|disk full)", printed.splitlines()[-1])
    assert mount("-o", "remount,size=64m", disk)
    jobs[script](output, tmp_path / "log")
    assert differing(jobs[script].result(output), undisturbed[script][0]) == []


def test_the_token_is_in_nothing_that_a_job_writes_and_prints(undisturbed, trained, hub, tmp_path_factory):
    files = [path for path in tmp_path_factory.getbasetemp().rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"report.json", "training_args.bin", "metrics.json", "rows.jsonl", "publish.py.log"} <= names
    assert [path for path in files if os.environ["HF_TOKEN"].encode() in path.read_bytes()] == []
    published = {name: hub.content(file) for repo in hub.repos.values() for name, file in repo.head.tree.items()}
    assert {"README.md", "config.json", "metrics.json", "training.json"} <= published.keys()
    assert not any(os.environ["HF_TOKEN"].encode() in content for content in published.values())
