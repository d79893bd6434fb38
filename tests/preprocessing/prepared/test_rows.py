import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling import SAMPLING_RATE, load_audio
from preprocessing.clip import Clip, SkippedClip
from preprocessing.prepared.rows import PreparationConfig, extra_columns, features, parse_number, prepare_clip
from preprocessing.stored_audio import stored_waveform
from tests.conftest import voice
from tests.support.documents import numbers
from tests.support.piped_audio import mp3, recording

ROUNDING = 0.5 / 32768


def clip(path: Path, **fields) -> Clip:
    return Clip(id=f"corpus/{path.name}", path=path, corpus="corpus", **fields)


def write(path: Path, waveform: np.ndarray, rate: int = SAMPLING_RATE, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, waveform, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("level", [1e-4, 0.02, 1.0])
def test_what_is_stored_differs_from_the_original_by_16_bit_rounding_alone(tmp_path, rate, level):
    path = write(tmp_path / "a.wav", voice(0.6, 150, rate=rate) * np.float32(level), rate)
    row = prepare_clip(clip(path), PreparationConfig())
    original = load_audio(path)
    assert row["scale"] == 1.0
    assert np.abs(stored_waveform(row) - original).max() <= ROUNDING + 1e-7
    assert soundfile.info(path).samplerate == rate
    assert row["duration_s"] == original.size / SAMPLING_RATE == pytest.approx(0.6, abs=1e-3)


def test_a_recording_of_16_bits_is_stored_to_the_bit(tmp_path):
    path = write(tmp_path / "a.wav", voice(0.6, 150), subtype="PCM_16")
    np.testing.assert_array_equal(stored_waveform(prepare_clip(clip(path), PreparationConfig())), load_audio(path))


@pytest.mark.parametrize("peak", [1.0, -1.0, 1.2, 1.7, -1.7])
def test_a_loud_recording_is_scaled_and_not_clipped(tmp_path, peak):
    waveform = voice(0.6, 150)
    waveform *= np.float32(abs(peak) / waveform.max()) * (1 if peak > 0 else -1)
    path = write(tmp_path / "a.wav", waveform)
    row = prepare_clip(clip(path), PreparationConfig())
    assert row["scale"] == pytest.approx(max(waveform.max() * 32768 / 32767, -waveform.min()))
    stored = stored_waveform(row)
    assert np.abs(stored - waveform).max() <= row["scale"] * ROUNDING + 1e-6
    assert np.abs(stored).max() == pytest.approx(np.abs(waveform).max(), rel=1e-4)


def test_a_row_has_the_fields_of_its_clip(tmp_path):
    path = write(tmp_path / "a.wav", voice(1.2, 150))
    fields = {"speaker": "s1", "gender": "female", "emotion": "sad", "raw_label": "blue", "split": "test"}
    row = prepare_clip(clip(path, extra={"valence": 0.5}, **fields), PreparationConfig())
    assert {name: row[name] for name in fields} == fields
    assert (row["id"], row["path"], row["corpus"], row["valence"]) == ("corpus/a.wav", "a.wav", "corpus", 0.5)
    assert row["f0_mean"] == pytest.approx(150, abs=1)
    assert row.keys() == features({"valence": "float64"}).keys()


def test_a_segment_of_a_file_is_stored_alone(tmp_path):
    path = write(tmp_path / "a.wav", np.concatenate([voice(1.0, 100), voice(1.0, 250)]))
    row = prepare_clip(clip(path, start_s=1.1, end_s=1.9), PreparationConfig())
    assert (row["start_s"], row["end_s"]) == (1.1, 1.9)
    assert row["duration_s"] == pytest.approx(0.8)
    assert row["f0_mean"] == pytest.approx(250, abs=1)
    assert np.abs(stored_waveform(row) - load_audio(path, start_s=1.1, end_s=1.9)).max() <= ROUNDING + 1e-7


def test_the_longest_duration_cuts_what_is_measured_and_not_what_is_stored(tmp_path):
    path = write(tmp_path / "a.wav", np.concatenate([voice(0.6, 100), voice(0.6, 250)]))
    short, long = (prepare_clip(clip(path), PreparationConfig(max_duration_s=seconds)) for seconds in (0.6, 6.0))
    assert short["audio"] == long["audio"]
    assert short["duration_s"] == long["duration_s"] == pytest.approx(1.2)
    assert short["f0_mean"] == pytest.approx(100, abs=1)
    assert long["f0_mean"] > 150
    assert short["energy_mean"] != long["energy_mean"]


@pytest.mark.parametrize(
    ("seconds", "minimum", "kept"), [(0.49, 0.5, False), (0.5, 0.5, True), (0.49, 0.3, True), (0.01, 0.5, False)]
)
def test_a_short_clip_is_skipped_with_the_reason(tmp_path, seconds, minimum, kept):
    path = write(tmp_path / "a.wav", voice(seconds, 150))
    found = prepare_clip(clip(path), PreparationConfig(min_duration_s=minimum))
    if kept:
        assert found["duration_s"] == pytest.approx(seconds)
    else:
        assert found == SkippedClip("corpus/a.wav", f"shorter than {minimum} s")


def write_text(path: Path) -> None:
    path.write_text("This is not audio.")


def write_nan(path: Path) -> None:
    write(path, np.array([0.1, np.nan] * 8000))


def write_unknown_codec(path: Path) -> None:
    write(path, voice(0.6, 150), subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[20:22] = b"\x34\x12"  # the format's number
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [write_text, Path.touch, write_nan, Path.mkdir, write_unknown_codec],
    ids=["text", "empty", "nan", "folder", "unknown codec"],
)
def test_what_cannot_be_read_is_skipped_with_a_reason_that_names_no_path(tmp_path, damage):
    path = tmp_path / "broken.wav"
    damage(path)
    skipped = prepare_clip(clip(path), PreparationConfig())
    assert isinstance(skipped, SkippedClip)
    assert skipped.id == "corpus/broken.wav"
    assert len(skipped.reason) > 30
    assert str(tmp_path) not in skipped.reason
    assert "broken" not in skipped.reason


def test_a_segment_beyond_the_end_is_skipped_with_a_reason(tmp_path):
    path = write(tmp_path / "a.wav", voice(0.6, 150))
    skipped = prepare_clip(clip(path, start_s=7.0), PreparationConfig())
    assert skipped.id == "corpus/a.wav"
    assert numbers(skipped.reason) == [7.0]


def clips_with(values: dict[str, list]) -> list[Clip]:
    rows = zip(*values.values(), strict=True)
    return [clip(Path(f"{i}.wav"), extra=dict(zip(values, row, strict=True))) for i, row in enumerate(rows)]


def test_further_labels_are_numbers_where_all_of_them_are_and_text_elsewhere():
    values = {
        "valence": [" 0.5", "-1e3", None],
        "age": [31, 2.5, 7],
        "take": ["1", "2", "b"],
        "mood": ["so", None, "lala"],
        "rating": ["1", "nan", " - "],
        "level": ["NA", "1", "N/A"],
        "place": ["NA", "none", None],
        "peak": ["1", "inf", "3"],
        "unknown": [None, None, None],
    }
    kinds = extra_columns(clips_with(values))
    assert list(kinds) == sorted(values)
    assert {name for name, kind in kinds.items() if kind == "float64"} >= {"valence", "age", "rating", "level"}
    assert {name for name, kind in kinds.items() if kind == "string"} >= {"take", "mood", "place", "peak"}
    table = features(kinds)
    assert (table["valence"].dtype, table["take"].dtype) == ("float64", "string")


def test_a_label_that_only_some_clips_have_is_a_column_too():
    assert extra_columns([clip(Path("a.wav")), clip(Path("b.wav"), extra={"valence": "1"})]) == {"valence": "float64"}
    assert extra_columns([clip(Path("a.wav"))]) == {}


@pytest.mark.parametrize("name", ["duration_s", "f0_mean", "id", "audio", "scale", "raw_label", "row"])
def test_a_further_label_cannot_have_the_name_of_a_column(name):
    with pytest.raises(ValueError, match=f" {name}"):
        extra_columns(clips_with({name: ["1"]}))


def test_text_among_numbers_is_refused():
    def clips(values):
        return [Clip(id=f"a/{i}.wav", path=Path("x"), corpus="a", extra={"valence": v}) for i, v in enumerate(values)]

    with pytest.raises(ValueError, match=r"'valence'.* 'high'"):
        extra_columns(clips([*map(str, range(20)), "high"]))
    assert extra_columns(clips([*map(str, range(20)), "N/A"])) == {"valence": "float64"}
    assert extra_columns(clips(["low", "high", "3"])) == {"valence": "string"}
    assert extra_columns(clips(["1.5", None])) == {"valence": "float64"}


@pytest.mark.parametrize("cell", [None, "", "NA", "n/a", "NaN", " null", "None", "-", "<NA>"])
def test_a_cell_of_a_column_of_numbers_may_be_missing(cell):
    assert parse_number(cell) is None
    assert parse_number("-1.5") == -1.5


def test_the_lowest_value_of_16_bits_is_stored_to_the_bit(tmp_path):
    samples = np.array([-32768, 32767, 5, -5] * 4000, np.int16)
    soundfile.write(tmp_path / "loud.wav", samples, 16_000)
    row = prepare_clip(Clip(id="a/loud.wav", path=tmp_path / "loud.wav", corpus="a"), PreparationConfig())
    assert row["scale"] == 1.0
    np.testing.assert_array_equal(stored_waveform(row) * 32768, samples)


@pytest.mark.slow
def test_a_recording_of_hours_is_skipped(tmp_path):
    soundfile.write(tmp_path / "hours.flac", np.zeros(3_700_000, np.int16), 1_000)
    clip = Clip(id="a/hours.flac", path=tmp_path / "hours.flac", corpus="a")
    assert prepare_clip(clip, PreparationConfig()) == SkippedClip("a/hours.flac", "longer than 3600 s")
    row = prepare_clip(replace(clip, start_s=3599.0, end_s=3601.5), PreparationConfig())
    assert row["duration_s"] == 2.5


def test_a_name_in_no_valid_encoding_can_be_stored(tmp_path):
    path = tmp_path / os.fsdecode(b"Col\xe8re.wav")
    soundfile.write(os.fsencode(path), voice(1.0, 150), SAMPLING_RATE, format="WAV")
    speaker = os.fsdecode(b"\xe9va")
    row = prepare_clip(
        Clip(id="a/x.wav", path=path, corpus="a", speaker=speaker, extra={"mood": speaker}), PreparationConfig()
    )
    assert (row["path"], row["speaker"], row["mood"]) == ("Col\\udce8re.wav", "\\udce9va", "\\udce9va")


def test_cuts_behind_what_an_mp3_is_estimated_at_are_kept(tmp_path):
    path = tmp_path / "pipe.mp3"
    path.write_bytes(mp3(recording(20, 44_100)[::-1], 44_100, counted=False))
    for start_s in (2.0, 12.0, 17.5):
        row = prepare_clip(clip(path, start_s=start_s, end_s=start_s + 2), PreparationConfig())
        assert row["duration_s"] == 2.0
    assert prepare_clip(clip(path), PreparationConfig())["duration_s"] == pytest.approx(20, abs=0.1)
