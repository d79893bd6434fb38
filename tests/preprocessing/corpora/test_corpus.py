import unicodedata
from collections import Counter

from preprocessing.clip import IS_COPY, UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.corpus import composed
from preprocessing.corpora.scan import Source, scan
from tests.support.corpus_folders import lay_out


def test_accents_are_composed():
    assert composed(unicodedata.normalize("NFD", "Colère")) == unicodedata.normalize("NFC", "Colère")


def test_the_id_does_not_depend_on_where_the_corpus_lies(tmp_path):
    path = "Actor_01/03-01-01-01-01-01-01.wav"
    lay_out(tmp_path / "a/b", [path])
    assert [scan([Source("ravdess", tmp_path / root)])[0].id for root in ("", "a", "a/b")] == [f"ravdess/{path}"] * 3


def test_what_is_not_of_the_form_is_skipped_with_a_reason(tmp_path):
    names = [
        "Actor_01/03-01-01-01-01-01-01.wav",
        "Actor_01/03-01-09-01-01-01-01.wav",
        "audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav",
        "Actor_25/03-01-01-01-01-01-25.wav",
    ]
    lay_out(tmp_path, names)
    entries = scan([Source("ravdess", tmp_path)])
    assert [entry.id for entry in entries if isinstance(entry, Clip)] == ["ravdess/Actor_01/03-01-01-01-01-01-01.wav"]
    assert Counter(entry.reason for entry in entries if isinstance(entry, SkippedClip)) == {
        UNEXPECTED_NAME: 2,
        IS_COPY: 1,
    }


def test_one_file_in_two_spellings_is_one_clip(tmp_path):
    lay_out(tmp_path, ["wav/03a01Fa.wav", "copy/WAV/03A01FA.WAV"])
    assert Counter(type(entry) for entry in scan([Source("emodb", tmp_path)])) == {Clip: 1, SkippedClip: 1}
