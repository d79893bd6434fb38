import os
import subprocess
import sys

import numpy as np
import pytest

from inference.engine.onnx_backend import FILES, load_onnx
from inference.engine.predictor import load_predictor
from tests.conftest import ROOT, TASKS, voice

pytestmark = pytest.mark.slow

CLIPS = [voice(seconds, 90 + 30 * i, i) for i, seconds in enumerate((2.5, 0.02, 9.0, 0.4, 6.0))]


@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_predictor_on_onnx_predicts_as_one_on_pytorch(checkpoint, exported, threads, batch_size):
    expected = load_predictor(str(checkpoint))(CLIPS)
    recognize = load_predictor(str(exported), backend="onnx", batch_size=batch_size)
    assert recognize.tasks == TASKS
    found = recognize(CLIPS)
    for task in TASKS:
        assert np.abs(found[task.name] - expected[task.name]).max() < 1e-4 * (task.std if task.unit else 1)


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_the_precision_picks_the_file(exported, precision):
    exact = load_predictor(str(exported), backend="onnx")(CLIPS)
    rounded = load_predictor(str(exported), backend="onnx", precision=precision)(CLIPS)
    assert 0 < np.abs(rounded["emotion"] - exact["emotion"]).max() < 0.1


def test_the_folder_needs_no_weights_of_pytorch(exported):
    assert list(exported.rglob("*.safetensors")) == []


def test_it_computes_with_as_many_threads_as_pytorch(exported, monkeypatch):
    import onnxruntime

    given = []
    session = onnxruntime.InferenceSession

    def watched(file, options, **kwargs):
        given.append(options.intra_op_num_threads)
        return session(file, options, **kwargs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    for workers in (1, 2, 8):
        load_onnx(exported, workers=workers)
    assert given == [4, 3, 1]  # a session's own and the caller; what callers add, its own leave out


def test_a_missing_precision_is_refused_with_the_command_that_writes_it(exported, tmp_path):
    for name in ("model.onnx", "model_float16.onnx", "config.json"):
        (tmp_path / name).symlink_to(exported / name)
    with pytest.raises(ValueError, match=r"model_int8\.onnx.*CHECKPOINT .*--precision float32 int8 float16`"):
        load_predictor(str(tmp_path), backend="onnx", precision="int8")


def test_what_was_not_exported_is_refused(checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r"model\.onnx.*--precision float32`"):
        load_predictor(str(checkpoint), backend="onnx")
    (tmp_path / FILES["float32"]).write_bytes(b"no graph")
    (tmp_path / "config.json").symlink_to(checkpoint / "config.json")
    with pytest.raises(ValueError, match=FILES["float32"]):
        load_onnx(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tensorrt"}, "'torch' or 'onnx', got 'tensorrt'"),
        ({"precision": "int8"}, "auto, float32, bfloat16, got 'int8'"),
        ({"precision": "half"}, "auto, float32, bfloat16, got 'half'"),
        ({"backend": "onnx", "precision": "bfloat16"}, "float32, int8, float16, got 'bfloat16'"),
    ],
)
def test_an_unknown_choice_is_refused(exported, options, message):
    with pytest.raises(ValueError, match=message):
        load_predictor(str(exported), **options)


def test_auto_is_float32(exported):
    assert load_predictor(str(exported), backend="onnx", precision="auto").precision == "float32"


def test_a_missing_package_is_named_with_the_command_that_installs_it(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[onnx\]'"):
        load_onnx(exported)


def test_nothing_is_reported_and_nothing_left_on_disk(exported, tmp_path):
    """ONNX Runtime's telemetry keeps a file among the temporary ones."""
    code = "import sys; from inference.engine.onnx_backend import load_onnx; load_onnx(sys.argv[1])"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(exported)], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
