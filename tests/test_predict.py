import contextlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import soundfile
from safetensors.torch import load_file, save_file

from inference.batch.predict import PredictionRequest, predict_files
from inference.engine.precision import Choice
from inference.engine.predictor import load_predictor
from tests.conftest import ROOT, TASKS, voice
from tests.support.bad_audio import decoding_error
from tests.support.documents import numbers
from tests.support.folder_server import SECRET, serve_folder
from tests.support.scripts import refusal, start

pytestmark = pytest.mark.slow

# `--cpu --num_processes 2` would start a single one.
TWO_PROCESSES = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")
NO_VAD = ("--no_vad",)  # the clips are a buzz
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for index in range(60):
        soundfile.write(folder / f"{index:02}.wav", voice(0.3 + index % 4 / 10, 90 + 3 * index, index), 16_000)
    for index in (7, 30, 31):
        (folder / f"{index:02}.wav").write_bytes(b"no sound")
    return folder


def predict(monkeypatch, capsys, *arguments):
    """Runs the script here; returns what it printed and the message that it exited with."""
    monkeypatch.setattr(
        sys, "argv", ["predict.py", *map(str, arguments), *(() if "--timeline" in arguments else NO_VAD)]
    )
    try:
        runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    except SystemExit as end:
        return capsys.readouterr().out, end.code
    return capsys.readouterr().out, None


def test_it_prints_json_with_an_error_for_each_unreadable_file(checkpoint, clips, monkeypatch, capsys):
    files = [clips / "06.wav", clips / "07.wav"]
    printed, end = predict(monkeypatch, capsys, *files, "--model", checkpoint, "--json")
    good, bad = json.loads(printed)
    assert [good["file"], bad["file"]] == [str(file) for file in files]
    assert good.keys() == {"file", *(task.name for task in TASKS), "duration_s", "analyzed_s", "speech_s"}
    assert sum(entry["score"] for entry in good["emotion"]) == pytest.approx(1)
    assert bad["error"] == decoding_error(files[1])
    assert numbers(end) == [1, 2]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_microphone_is_printed_as_it_comes(checkpoint, monkeypatch, capsys, as_json):
    waveform = voice(3.0, 150)
    blocks = [waveform[start : start + 1600] for start in range(0, waveform.size, 1600)]
    monkeypatch.setattr("inference.timeline.microphone.record_blocks", lambda: iter(blocks))
    arguments = ["--microphone", "--model", checkpoint, "--hop_s", "0.5", *(["--json"] if as_json else [])]
    monkeypatch.setattr(sys, "argv", ["predict.py", *map(str, arguments)])
    runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    if as_json:
        lines = [line for line in map(json.loads, lines) if line["event"] == "hop"]
        assert [hop["time_s"] for hop in lines] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    else:
        assert [line.split()[0] for line in lines if " s  " in line] == ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        (["--microphone", "--batch_size", "4"], ["--batch_size"]),
        (["--microphone", "--wide", "--overwrite"], ["--wide", "--overwrite"]),
        (["--microphone", "--list", "a.txt", "--no_vad"], ["--list", "--no_vad"]),
        (["a.wav", "--wide", "--output", "a.jsonl"], ["--wide"]),
        (["a.wav", "--wide", "--output", "a.parquet"], ["--wide"]),
        (["a.wav", "--wide", "--timeline", "--output", "a.srt"], ["--wide"]),
        (["a.wav", "--wide", "--json"], ["--wide"]),
        (["a.wav", "--overwrite"], ["--overwrite", "--output"]),
    ],
)
def test_an_option_without_an_effect_is_refused(monkeypatch, capsys, arguments, flags):
    monkeypatch.setattr(sys, "argv", ["predict.py", *arguments])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    assert end.value.code == 2
    message = capsys.readouterr().err.rpartition("error: ")[2]
    assert all(flag in message for flag in flags)


def test_it_prints_all_outputs_of_one_file_and_a_table_of_several(checkpoint, clips, monkeypatch, capsys):
    printed, end = predict(monkeypatch, capsys, clips / "06.wav", "--model", checkpoint)
    assert end is None
    assert printed.startswith(f"{clips / '06.wav'}: 0.50 s, 0.50 s analyzed\n  emotion")
    printed, end = predict(monkeypatch, capsys, clips, "--model", checkpoint, "--top_k", 1, "--labels", "sad")
    header, *rows = printed.splitlines()
    assert header.split()[:2] == ["file", "emotion"]
    assert [row.split()[0] for row in rows] == [str(path) for path in sorted(clips.iterdir())]
    assert rows[0].split()[1:3] == ["sad", "1.00"]
    assert numbers(end) == [3, 60]


def test_a_list_of_names_does_as_well(checkpoint, clips, tmp_path, monkeypatch, capsys):
    (tmp_path / "list.txt").write_text(f"{clips / '01.wav'}\n{clips / '00.wav'}\n")
    output = tmp_path / "rows.jsonl"
    predict(monkeypatch, capsys, "--list", tmp_path / "list.txt", "--model", checkpoint, "--output", output)
    files = [json.loads(line)["file"] for line in output.read_text().splitlines()]
    assert files == [str(clips / "01.wav"), str(clips / "00.wav")]


def num_completed(output):
    return sum(path.read_bytes().count(b"\n") for path in output.with_name(f"{output.name}.partial").glob("rows-*"))


@pytest.fixture
def slow_server(clips):
    """The address of a recording, and what lets it be sent."""
    sent, content = threading.Event(), (clips / "20.wav").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            sent.wait()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

        def handle(self):
            with contextlib.suppress(ConnectionError):  # of a client that was killed
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/slow.wav", sent
        sent.set()
        server.shutdown()


def test_killed_and_resumed_by_two_processes_it_gives_the_rows_of_one(
    checkpoint, clips, tmp_path, monkeypatch, slow_server
):
    """A recording that does not come holds the first start up, so that it is killed in the middle of its work."""
    output = tmp_path / "rows.jsonl"
    url, sent = slow_server
    files = [*sorted(str(path) for path in clips.iterdir()), url]
    arguments = [
        "predict.py",
        str(clips),
        url,
        "--model",
        str(checkpoint),
        "--output",
        str(output),
        "--batch_size",
        "1",
        *NO_VAD,
    ]
    first = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE)
    try:
        while num_completed(output) < 32:
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.05)
        # Meanwhile a second start is refused.
        assert str(output) in refusal(monkeypatch, *arguments)
    finally:
        first.kill()
        first.communicate()
    assert not output.exists()
    before = num_completed(output)
    sent.set()
    with (tmp_path / "rows.jsonl.partial" / "rows-0.jsonl").open("ab") as lines:
        lines.write(b'{"file": "a line that was being wri')

    command = [sys.executable, *TWO_PROCESSES, *arguments]
    second = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert "predict.py: 3 of 61 files" in second.stderr
    assert f"{before} of 61 files" in second.stderr
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["file"] for row in rows] == files
    alone = dict(predict_files(load_predictor(str(checkpoint)), files, PredictionRequest(vad=False)))
    for row in rows:
        (expected,) = alone[row["file"]]
        assert row.keys() == expected.keys()
        assert ("error" in row) == (row["file"][-6:-4] in ("07", "30", "31")), row
        for task in TASKS[:2] if "error" not in row else ():
            scores = {entry["label"]: entry["score"] for entry in expected[task.name]}
            assert {entry["label"]: entry["score"] for entry in row[task.name]} == pytest.approx(scores, abs=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "rows.jsonl"]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_password_in_an_address_is_in_no_row_and_in_nothing_that_is_printed(
    checkpoint, clips, tmp_path, monkeypatch, capfd, ending
):
    shutil.copy(clips / "06.wav", clips / "cut.wav")
    output = tmp_path / f"rows.{ending}"
    with serve_folder(clips) as address:
        urls = [f"{address}/{name}.wav" for name in ("06", "07", "cut", "missing")]
        with monkeypatch.context() as patch:  # to look at what a killed run leaves
            patch.setattr("inference.batch.partial_results.PartialResults._remove", lambda _: None)
            _, end = predict(patch, capfd, *urls, "--model", checkpoint, "--output", output)
        assert numbers(end) == [3, 4]
        shown, end = predict(monkeypatch, capfd, *urls, "--model", checkpoint, "--json")
        _, refusal = predict(
            monkeypatch, capfd, urls[2], "--model", checkpoint, "--timeline", "--output", tmp_path / "a.srt"
        )
    host = address.partition("@")[2]
    rows = json.loads(shown)
    assert [row["file"] for row in rows] == [f"http://…@{host}/{name}.wav" for name in ("06", "07", "cut", "missing")]
    assert "emotion" in rows[0]
    assert [row["error"] == decoding_error(clips / "07.wav") for row in rows[1:]] == [True, False, False]
    assert refusal.startswith(f"predict.py: http://…@{host}/cut.wav: ")
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"rows-0.jsonl", output.name} <= {path.name for path in written}
    for text in (*(content.decode(errors="replace") for content in written.values()), shown, end, refusal):
        assert SECRET not in text


@pytest.mark.parametrize(("flags", "expected"), [((), "bfloat16"), (("--precision", "float32"), "float32")])
def test_the_precision_is_one_of_the_settings_of_a_run_and_auto_prints_it(
    checkpoint, clips, tmp_path, monkeypatch, capsys, flags, expected
):
    monkeypatch.setattr("inference.batch.partial_results.PartialResults._remove", lambda _: None)
    _choose_bfloat16(monkeypatch)
    output = tmp_path / "rows.jsonl"
    monkeypatch.setattr(
        sys, "argv", ["predict.py", str(clips), "--model", str(checkpoint), "--output", str(output), *flags]
    )
    (clips / "07.wav").unlink()
    (clips / "30.wav").unlink()
    (clips / "31.wav").unlink()
    runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    assert json.loads((tmp_path / "rows.jsonl.partial" / "settings.json").read_text())["precision"] == expected
    assert (expected in capsys.readouterr().err) == (not flags)


def _choose_bfloat16(monkeypatch):
    """Lets the check choose bfloat16, as on a processor with AMX; returns for each check whether it may measure."""
    asked = []
    check = "inference.engine.precision_check"
    monkeypatch.setattr(f"{check}.has_bfloat16", lambda: True)
    monkeypatch.setattr(
        f"{check}.check_precision", lambda model, name, measure: asked.append(measure) or Choice("bfloat16", "measured")
    )
    return asked


@pytest.mark.parametrize(
    ("count", "flags", "expected"),
    [(1, (), False), (9, (), False), (10, (), True), (1, ("--timeline",), True)],
)
def test_a_few_clips_do_not_wait_for_a_measurement_and_print_no_line(
    checkpoint, clips, tmp_path, monkeypatch, capsys, count, flags, expected
):
    asked = _choose_bfloat16(monkeypatch)
    files = [str(path) for path in sorted(clips.iterdir()) if path.stem not in ("07", "30", "31")][:count]
    output = str(tmp_path / "rows.jsonl")
    monkeypatch.setattr(sys, "argv", ["predict.py", *files, "--model", str(checkpoint), "--output", output, *flags])
    runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    assert asked == [expected]
    assert ("Precision:" in capsys.readouterr().err) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(("--backend", "onnx", "--precision", "bfloat16"), "bfloat16"), (("--precision", "int8"), "int8")],
)
def test_a_precision_that_the_backend_lacks_is_refused(checkpoint, clips, monkeypatch, flags, expected):
    assert expected in refusal(monkeypatch, "predict.py", clips / "06.wav", "--model", checkpoint, *flags)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["clip.wav"], "clip.wav"),
        (["--list", "list.txt"], "list.txt"),
        (["README.md", "--output", "Makefile"], ".jsonl, .csv, .parquet"),
        (["README.md", "--output", "rows.xlsx"], ".jsonl, .csv, .parquet"),
        (["README.md", "--top_k", "0"], "top_k"),
        (["README.md", "--timeline", "--hop_s", "9"], "hop_s"),
    ],
)
def test_what_cannot_be_is_refused_before_the_model_is_loaded(monkeypatch, arguments, expected):
    monkeypatch.chdir(ROOT)
    assert expected in refusal(monkeypatch, "predict.py", *arguments, "--model", "nowhere")


def test_a_model_with_a_missing_head_is_refused(checkpoint, clips, tmp_path, monkeypatch):
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    del weights["heads.gender.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    message = refusal(monkeypatch, "predict.py", clips / "00.wav", "--model", broken)
    assert "1 missing keys (heads.gender.weight)" in message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "--list"),
        (["a.wav", "--channels", "each"], "--channels, --window_s and --hop_s"),
        (["a.wav", "--json", "--output", "rows.csv"], "--json"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_usage(monkeypatch, capsys, arguments, expected):
    monkeypatch.setattr(sys, "argv", ["predict.py", *arguments, "--model", "runs/demo"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    assert end.value.code == 2
    assert expected in capsys.readouterr().err


def test_its_help_waits_for_no_library():
    script = (
        "import runpy, sys\n"
        "sys.argv = ['predict.py', '--help']\n"
        "try: runpy.run_path('predict.py', run_name='__main__')\n"
        "except SystemExit: print(sorted({'torch', 'transformers', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    assert start("-c", script).stdout.splitlines()[-1] == "[]"
