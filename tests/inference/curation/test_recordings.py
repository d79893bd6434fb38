import pytest

from inference.curation.filter import filter_manifest
from inference.curation.recordings import FilterOptions


def test_paths_start_in_the_named_folder(checkpoint, folder):
    (folder / "lists").mkdir()
    (folder / "lists" / "m.tsv").write_text("clip\nlow.wav\n")
    options = FilterOptions(path_column="clip", audio_folder="..")
    arguments = (folder / "lists" / "m.tsv", str(checkpoint), folder / "kept.tsv", ["0 <= duration_s <= 1"], options)
    scores = folder / "elsewhere.jsonl"
    assert filter_manifest(*arguments, scores=scores, num_proc=1, vad=False)["kept"] == 1
    assert scores.exists()
    assert (folder / "kept.tsv").read_text() == "clip\nlow.wav\n"


def test_if_no_recording_exists_nothing_is_analyzed(folder):
    (folder / "m.csv").write_text("path\nwavs/low.wav\nwavs/mid.wav\n")
    with pytest.raises(ValueError, match=r"--audio_folder"):
        filter_manifest(folder / "m.csv", "no/such/checkpoint", folder / "kept.csv", ["duration_s > 0"])
    assert not (folder / "kept.csv").exists()
