"""SAVEE: both forms of its names give the same clips."""

from preprocessing.clip import IS_COPY, SkippedClip
from preprocessing.corpora.savee import CORPUS
from tests.support.corpus_folders import lay_out


def test_a_clip_in_both_forms_is_read_once(tmp_path):
    lay_out(tmp_path, ["ALL/DC_sa01.wav", "AudioData/DC/sa01.wav", "AudioData/DC/sa02.wav"])
    entries = list(CORPUS.read(tmp_path))
    assert [entry.id for entry in entries] == [
        "savee/DC/sa01.wav",
        "savee/AudioData/DC/sa01.wav",
        "savee/DC/sa02.wav",
    ]
    assert entries[1] == SkippedClip("savee/AudioData/DC/sa01.wav", IS_COPY)
