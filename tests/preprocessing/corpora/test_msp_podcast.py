"""MSP-Podcast: everything but the clips' names stands in a table."""

import pytest

from preprocessing.clip import SkippedClip
from preprocessing.corpora.msp_podcast import CORPUS
from preprocessing.corpora.scales import rescale
from preprocessing.corpora.scan import Source, scan, scan_sources
from tests.support.corpus_folders import lay_out

TABLE = """FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
MSP-PODCAST_0001_0008.wav,N,2.2,4.0,7.0,30,Male,Test1
MSP-PODCAST_0002_0001.wav,U,6.5,1.0,,Unknown,Female,Development
MSP-PODCAST_0003_0001.wav,X,4.0,4.0,4.0,7,Unknown,Train
MSP-PODCAST_0004_0001.wav,H,4.0,4.0,4.0,7,Female,Train
"""
CLIPS = [f"Audios/MSP-PODCAST_{name}.wav" for name in ("0001_0008", "0002_0001", "0003_0001", "0009_0001")]


@pytest.fixture
def folder(tmp_path):
    lay_out(tmp_path, dict.fromkeys(CLIPS, "") | {"Labels/labels_consensus.csv": TABLE})
    return tmp_path


def test_the_table_gives_the_fields(folder):
    neutral, surprise, *skipped = scan([Source("msp_podcast", folder)])
    fields = ("id", "emotion", "speaker", "gender", "split", "extra")
    assert [getattr(neutral, field) for field in fields] == [
        *("msp_podcast/MSP-PODCAST_0001_0008.wav", "neutral", "30", "male", "test"),
        {"valence": 4.0, "arousal": 2.2, "dominance": 7.0},
    ]
    assert (surprise.speaker, surprise.split, surprise.extra["dominance"]) == (None, "validation", None)
    assert all(isinstance(entry, SkippedClip) for entry in skipped)
    assert len({entry.reason for entry in skipped}) == 3  # no agreement, not in the table, not on the disk


def test_its_scale_is_from_1_to_7(folder):
    ((_, entries),), scales = rescale(scan_sources([Source("msp_podcast", folder)]))
    assert entries[0].extra["valence"] == 0
    assert entries[0].extra["dominance"] == 1
    assert entries[1].extra == {"valence": -1.0, "arousal": pytest.approx(11 / 12 * 2 - 1), "dominance": None}
    assert scales["msp_podcast"]["arousal"] == (1.0, 7.0)


@pytest.mark.parametrize(
    ("content", "named"),
    [(None, "labels_consensus"), ("FileName\na\n", "EmoClass"), (TABLE.replace(",N,", ",Q,"), "Q")],
)
def test_a_missing_or_another_table_is_refused(folder, content, named):
    table = folder / "Labels/labels_consensus.csv"
    table.unlink() if content is None else table.write_text(content)
    with pytest.raises(ValueError, match=named):
        list(CORPUS.read(folder))
