import io

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.clip import Clip, SkippedClip
from preprocessing.corpora.scan import Source, scan
from preprocessing.corpora.user_audio import UserAudio, read_table
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.rows import PreparationConfig, prepare_clip
from preprocessing.stored_audio import stored_waveform
from preprocessing.tables.arrow import ArrowTable, EmbeddedAudio
from tests.conftest import voice

LABELS = ["angry", "sad"]


def sound(index: int) -> bytes:
    encoded = io.BytesIO()
    soundfile.write(encoded, voice(0.6, 100 + 10 * index, index), SAMPLING_RATE, format="WAV", subtype="PCM_16")
    return encoded.getvalue()


def rows(count: int, first: int = 0) -> datasets.Dataset:
    numbers = range(first, first + count)
    table = datasets.Dataset.from_dict(
        {
            "audio": [{"bytes": sound(i), "path": f"{i:02}.wav"} for i in numbers],
            "label": [i % 2 for i in numbers],
            "speaker": [i // 4 for i in numbers],
        }
    )
    table = table.cast_column("label", datasets.ClassLabel(names=LABELS))
    return table.cast_column("audio", datasets.Audio(decode=False))


def shards(folder) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows(10).to_parquet(folder / "train-00000-of-00002.parquet", batch_size=4)
    rows(6, 10).to_parquet(folder / "train-00001-of-00002.parquet")
    rows(4, 16).to_parquet(folder / "test-00000-of-00001.parquet")


def saved(folder) -> None:
    datasets.DatasetDict({"train": rows(16), "test": rows(4, 16)}).save_to_disk(folder)


def one_file(folder) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows(20).to_parquet(folder / "all.parquet", batch_size=7)


OPTIONS = UserAudio(columns={"emotion": "label"})


@pytest.mark.parametrize("write", [shards, saved, one_file])
def test_a_data_set_of_the_datasets_library_is_read(tmp_path, write):
    write(tmp_path / "mine")
    path = tmp_path / "mine" / "all.parquet" if write is one_file else tmp_path / "mine"
    clips = sorted(read_table(path, OPTIONS), key=lambda clip: clip.id)
    assert [clip.id for clip in clips] == [f"mine/{i:02}.wav" for i in range(20)]
    assert [clip.raw_label for clip in clips] == [LABELS[i % 2] for i in range(20)]
    assert [clip.speaker for clip in clips] == [str(i // 4) for i in range(20)]
    split = [None] * 20 if write is one_file else ["train"] * 16 + ["test"] * 4
    assert [clip.split for clip in clips] == split
    for index, clip in enumerate(clips):
        np.testing.assert_allclose(
            stored_waveform(prepare_clip(clip, PreparationConfig())),
            voice(0.6, 100 + 10 * index, index),
            atol=2 / 32768,
        )


@pytest.mark.slow
def test_it_is_prepared_once_and_the_same_again_is_nothing(tmp_path):
    shards(tmp_path / "mine")
    entries = scan([Source("table", tmp_path / "mine")], user_audio=OPTIONS)
    report = prepare(entries, tmp_path / "out", num_proc=2)
    assert report["corpora"]["mine"]["kept"] == 20
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/clips").rglob("*")}
    assert prepare(entries, tmp_path / "out", num_proc=2) == report
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out/clips").rglob("*")} == before
    splits = load_prepared(tmp_path / "out", "paper")
    assert sorted(splits["test"]["id"]) == [f"mine/{i}.wav" for i in range(16, 20)]


def test_the_rows_of_one_corpus_do_not_depend_on_its_shards(tmp_path):
    for write in (shards, saved):
        write(tmp_path / write.__name__ / "mine")
    found = [
        {clip.id: (clip.raw_label, clip.split) for clip in read_table(tmp_path / name / "mine", OPTIONS)}
        for name in ("shards", "saved")
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("names", [["a.wav", "x/a.wav"], [None, None], ["", ""]])
def test_recordings_without_a_name_of_their_own_are_numbered(tmp_path, names):
    cells = [{"bytes": sound(i), "path": name} for i, name in enumerate(names)]
    pq.write_table(pa.table({"audio": cells}), tmp_path / "t.parquet")
    first, second = read_table(tmp_path / "t.parquet", UserAudio())
    assert [first.id, second.id] == [f"{tmp_path.name}/t/000000", f"{tmp_path.name}/t/000001"]


def test_a_column_of_bytes_is_one_of_recordings(tmp_path):
    pq.write_table(pa.table({"speaker": ["p"], "wav": [sound(0)]}), tmp_path / "t.parquet")
    (clip,) = read_table(tmp_path / "t.parquet", UserAudio())
    assert clip.path == tmp_path / "t.parquet"
    assert clip.embedded == EmbeddedAudio(tmp_path / "t.parquet", "wav", 0, "t/000000")
    assert clip.embedded.read_bytes() == sound(0)


def test_recordings_next_to_the_table_are_found_by_its_paths(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound(0))
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    cells = pa.array([{"bytes": None, "path": "a.wav"}, {"bytes": None, "path": "../a.wav"}], kind)
    pq.write_table(pa.table({"audio": cells[:1]}), tmp_path / "t.parquet")
    (clip,) = read_table(tmp_path / "t.parquet", UserAudio())
    assert clip.path == tmp_path / "a.wav"
    pq.write_table(pa.table({"audio": cells}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"row 2: .*outside"):
        list(read_table(tmp_path / "t.parquet", UserAudio()))


def test_a_row_without_sound_and_one_with_something_else_are_skipped_with_a_reason(tmp_path):
    cells = [{"bytes": content, "path": None} for content in (sound(0), None, b"no sound at all" * 1000)]
    pq.write_table(pa.table({"audio": cells}), tmp_path / "t.parquet")
    found = [prepare_clip(clip, PreparationConfig()) for clip in read_table(tmp_path / "t.parquet", UserAudio())]
    assert isinstance(found[0], dict)
    assert all(isinstance(skipped, SkippedClip) and len(skipped.reason) < 300 for skipped in found[1:])


def test_no_sound_is_read_for_the_labels(tmp_path, monkeypatch):
    one_file(tmp_path / "mine")
    read = []
    original = pq.ParquetFile.read
    monkeypatch.setattr(
        pq.ParquetFile, "read", lambda self, columns, **k: read.extend(columns) or original(self, columns=columns, **k)
    )
    assert all(isinstance(clip, Clip) for clip in read_table(tmp_path / "mine/all.parquet", OPTIONS))
    assert set(read) == {"audio.path", "label", "speaker"}


def test_shards_have_the_same_columns(tmp_path):
    shards(tmp_path)
    rows(2).remove_columns("speaker").to_parquet(tmp_path / "train-00009.parquet")
    with pytest.raises(ValueError, match=r"train-00009\.parquet .*speaker"):
        ArrowTable(sorted(tmp_path.glob("*.parquet")))


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.parquet or \.arrow"):
        list(read_table(tmp_path, UserAudio()))
