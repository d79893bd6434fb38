from pathlib import Path

import numpy as np
import pytest

from common.checkpoint import load_config
from inference.onnx import export as onnx_folder
from inference.onnx.export import LIMIT, export_folder
from modeling import SAMPLING_RATE
from tests.conftest import TASKS

pytestmark = pytest.mark.slow

HEADS = {task.name for task in TASKS}


def test_the_folder_holds_every_form_of_the_network_and_what_decodes_it(checkpoint, exported):
    names = {path.name for path in exported.iterdir()}
    assert names == {
        "model.onnx",
        "model_int8.onnx",
        "model_float16.onnx",
        "config.json",
        "preprocessor_config.json",
        "parity.json",
    }
    assert load_config(exported).get_tasks() == load_config(checkpoint).get_tasks()
    assert [path.name for path in exported.parent.iterdir()] == ["tiny"]  # nothing unfinished is left


def test_every_form_is_compared_with_pytorch(parity):
    compared = parity["synthetic"]
    assert compared["clips"] == 16
    assert [*compared["precisions"]] == ["torch", "float32", "int8", "float16"]
    differences = {name: found.get("max_difference") for name, found in compared["precisions"].items()}
    assert differences.pop("torch") is None
    assert all(found.keys() == HEADS for found in differences.values())
    assert max(differences["float32"].values()) < LIMIT
    assert 0 < max(differences["float16"].values()) < 0.05
    assert 0 < max(differences["int8"].values()) < 0.5
    for name in differences:
        found = compared["precisions"][name]
        assert found["same_class"].keys() == {"emotion", "gender"}
        assert found["same_class"]["emotion"] > 0.9
        assert min(found["clips_per_second"].values()) > 0


def test_what_was_measured_for_int8_is_written(parity):
    found = parity["int8"]
    assert found["bound"] == 0.05
    assert [*found["groups"]] == [
        "wav2vec2.feature_projection.projection",
        "wav2vec2.encoder.layers.0",
        "wav2vec2.encoder.layers.1",
    ]
    assert found["exact"] == ["wav2vec2.encoder.layers.0"]
    assert found["groups"]["wav2vec2.encoder.layers.0"] == max(found["groups"].values())
    assert 0 < found["change"] < 0.1


def test_the_clips_to_measure_with_are_spread_over_the_recordings(recordings, monkeypatch):
    monkeypatch.setattr(onnx_folder, "load_audio", lambda path, end_s: path)
    paths = [Path(str(number)) for number in range(100)]
    chosen = [int(str(path)) for path in onnx_folder._calibration_clips(paths, 6.0)]
    assert len(chosen) == 32
    assert chosen[0] == 0
    assert set(np.diff(chosen)) == {3, 4}
    monkeypatch.undo()
    first, second, *_ = onnx_folder._calibration_clips(sorted(recordings.glob("*.wav")), 6.0)
    assert (first.size, second.size) == (0.7 * SAMPLING_RATE, 6.0 * SAMPLING_RATE)
    assert len(onnx_folder._calibration_clips(sorted(recordings.glob("*.wav")), 6.0)) == 2 + 16  # synthetic ones


def test_it_is_compared_on_given_recordings_and_lists_the_unreadable_ones(parity):
    assert parity["recordings"]["clips"] == 2
    (unreadable,) = parity["recordings"]["unreadable"]
    assert "broken.wav" in unreadable
    assert parity["recordings"]["precisions"]["float32"]["same_class"]["emotion"] == 1


def test_a_folder_with_files_is_left_alone(checkpoint, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="--overwrite"):
        export_folder(str(checkpoint), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture
def _graph_is_there(exported, monkeypatch):
    """The graph of the tiny model, without the seconds that tracing takes."""
    graph = (exported / "model.onnx").read_bytes()
    monkeypatch.setattr(onnx_folder, "write_float32", lambda model, file: file.write_bytes(graph))


@pytest.mark.usefixtures("_graph_is_there")
def test_a_graph_with_other_outputs_is_not_written(tiny_model, feature_extractor, tmp_path):
    tiny_model.heads["gender"].bias.data += 0.01
    for part in (tiny_model, feature_extractor):
        part.save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="gender"):
        export_folder(str(tmp_path / "other"), tmp_path / "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.usefixtures("_graph_is_there")
def test_a_form_whose_numbers_overflow_is_not_written(checkpoint, exported, tmp_path, monkeypatch):
    import onnx

    def write_overflowing(model, source, file):
        graph = onnx.load(source)
        for weights in graph.graph.initializer:
            if weights.name == "model.heads.f0_mean.weight":
                weights.raw_data = np.full(weights.dims, np.nan, np.float32).tobytes()
        onnx.save(graph, file)

    monkeypatch.setattr(onnx_folder, "write_float16", write_overflowing)
    with pytest.raises(ValueError, match=r"f0_mean.* float16"):
        export_folder(str(checkpoint), tmp_path / "onnx", precisions=["float16"])
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_export_is_refused_before_any_work(checkpoint, tmp_path):
    with pytest.raises(ValueError, match="audio"):
        export_folder(str(checkpoint), tmp_path / "onnx", check=checkpoint)
    with pytest.raises(ValueError, match="checkpoint"):
        export_folder(str(tmp_path / "none"), tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_command_that_installs_it(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_folder, "_PACKAGES", ("torch", "no-such-package"))
    with pytest.raises(ValueError, match=r"no-such-package: pip install -e '\.\[onnx\]'"):
        export_folder(str(checkpoint), tmp_path / "onnx")
