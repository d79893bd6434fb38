"""ESD: one tree, two corpora, two releases."""

from preprocessing.clip import IS_COPY, UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.esd import CORPUS_EN, CORPUS_ZH
from tests.support.corpus_folders import lay_out


def test_each_language_is_read_without_the_other(tmp_path):
    lay_out(tmp_path, ["0010/Sad/0010_001400.wav", "0011/Angry/0011_000351.wav"])
    assert [(entry.id, entry.locale) for entry in CORPUS_EN.read(tmp_path)] == [("esd_en/0011_000351.wav", "en-US")]
    assert [(entry.id, entry.locale) for entry in CORPUS_ZH.read(tmp_path)] == [("esd_zh/0010_001400.wav", "zh-Hans")]


def test_a_clip_of_both_releases_is_read_once_and_has_one_id(tmp_path):
    lay_out(tmp_path, ["a/0011/Angry/0011_000351.wav", "b/0011/Angry/evaluation/0011_000351.wav"])
    entries = [list(CORPUS_EN.read(tmp_path / root)) for root in ("a", "b")]
    assert [[entry.id for entry in found] for found in entries] == [["esd_en/0011_000351.wav"]] * 2
    assert [found[0].split for found in entries] == [None, "validation"]
    clip, skipped = CORPUS_EN.read(tmp_path)
    assert clip == entries[0][0]
    assert skipped == SkippedClip("esd_en/b/0011/Angry/evaluation/0011_000351.wav", IS_COPY)


def test_numbers_beyond_the_five_emotions_are_skipped_with_a_reason(tmp_path):
    lay_out(tmp_path, [f"0011/Surprise/0011_{number:06}.wav" for number in (0, 1, 1750, 1751, 2000)])
    entries = list(CORPUS_EN.read(tmp_path))
    assert [entry.raw_label for entry in entries if isinstance(entry, Clip)] == ["neutral", "surprise"]
    assert {entry.reason for entry in entries if isinstance(entry, SkippedClip)} == {UNEXPECTED_NAME}
