"""CREMA-D: a table next to the clips gives the actors' gender."""

import pytest

from preprocessing.clip import UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.cremad import CORPUS, OTHER_FORMAT
from preprocessing.corpora.scan import Source, scan
from tests.support.corpus_folders import lay_out

TABLE = '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n1091,29,"Female","",""\n'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1001_DFA_ANG_XX", {"raw_label": "anger", "speaker": "1001", "gender": "male", "sentence": "DFA"}),
        ("1091_WSI_HAP_XX", {"raw_label": "happy", "speaker": "1091", "gender": "female", "sentence": "WSI"}),
        ("1091_IEO_DIS_LO", {"raw_label": "disgust", "gender": "female", "sentence": "IEO"}),
        ("1001_IEO_FEA_MD", {"raw_label": "fear", "gender": "male"}),
        ("1001_IEO_SAD_HI", {"raw_label": "sad", "gender": "male"}),
        ("1001_IEO_NEU_XX", {"raw_label": "neutral", "gender": "male"}),
        ("1040_ITH_SAD_X", {"raw_label": "sad", "speaker": "1040", "gender": None}),  # an actor without a row
        ("1076_MTI_SAD_XX", {"raw_label": "sad", "speaker": "1076", "gender": None}),
    ],
)
def test_a_name_and_the_table_give_the_fields(tmp_path, name, expected):
    lay_out(tmp_path, {f"AudioWAV/{name}.wav": "", "VideoDemographics.csv": TABLE})
    (clip,) = CORPUS.read(tmp_path)
    assert clip.id == f"cremad/{name}.wav"
    assert {field: getattr(clip, field) for field in expected} == expected


def test_other_formats_and_other_names_are_skipped_with_a_reason(tmp_path):
    names = ["AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1092_DFA_ANG_XX.wav", "AudioWAV/1001_DFA_SUR_XX.wav"]
    copies = ["AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"]
    lay_out(tmp_path, dict.fromkeys(names + copies, "") | {"VideoDemographics.csv": TABLE})
    entries = list(CORPUS.read(tmp_path))
    assert [entry.id for entry in entries if isinstance(entry, Clip)] == ["cremad/1001_DFA_ANG_XX.wav"]
    assert {entry.id: entry.reason for entry in entries if isinstance(entry, SkippedClip)} == {
        "cremad/AudioWAV/1092_DFA_ANG_XX.wav": UNEXPECTED_NAME,
        "cremad/AudioWAV/1001_DFA_SUR_XX.wav": UNEXPECTED_NAME,
        "cremad/AudioMP3/1001_DFA_ANG_XX.mp3": OTHER_FORMAT,
        "cremad/VideoFlash/1001_DFA_ANG_XX.flv": OTHER_FORMAT,
    }


VOTES = """"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote","meanEmoResp"
"100001",2,0,0,6,2,0,"1001_IEO_HAP_HI",10,0.6,"H",57.6
"100002",5,5,0,0,1,1,"1001_IEO_ANG_MD",12,0.416666666666667,"A:D",50.5833333333333
"200001",0,0,0,9,0,0,"1001_IEO_HAP_HI",9,1,"H",80
"300001",0,0,0,9,0,0,"1001_IEO_HAP_HI",9,1,"H",80
"""
NAMES = ("1001_IEO_HAP_HI", "1001_IEO_ANG_MD", "1091_IEO_SAD_LO")


def with_votes(folder, votes=VOTES):
    clips = dict.fromkeys([f"AudioWAV/{name}.wav" for name in NAMES], "")
    lay_out(folder, clips | {"VideoDemographics.csv": TABLE, "processedResults/tabulatedVotes.csv": votes})
    return folder


def test_votes_on_the_voice_alone_are_further_labels_under_the_label_rules(tmp_path):
    clips = {clip.path.stem: clip for clip in scan([Source("cremad", with_votes(tmp_path))])}
    expected = {"angry": 2.0, "disgust": 0.0, "fear": 0.0, "happy": 6.0, "neutral": 2.0, "sad": 0.0}
    assert clips[NAMES[0]].extra == {f"emotion:{label}": votes for label, votes in expected.items()}
    assert clips[NAMES[0]].emotion == "happy"
    assert {name for name, votes in clips[NAMES[1]].extra.items() if votes == 5} == {"emotion:angry", "emotion:disgust"}
    assert clips[NAMES[2]].extra == {}


@pytest.mark.parametrize("votes", ["", VOTES.replace('"fileName"', '"file"'), VOTES.replace('"",', '"id",', 1)])
def test_another_table_of_votes_is_an_error_that_names_the_columns(tmp_path, votes):
    with pytest.raises(ValueError, match=r"tabulatedVotes\.csv: .*fileName.*A, D, F, H, N, S"):
        list(CORPUS.read(with_votes(tmp_path, votes)))


def test_a_missing_table_is_refused_with_its_source(tmp_path):
    lay_out(tmp_path, ["AudioWAV/1001_DFA_ANG_XX.wav"])
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv.*github\.com/CheyneyComputerScience"):
        list(CORPUS.read(tmp_path))


def test_another_table_is_an_error_that_names_the_columns(tmp_path):
    lay_out(tmp_path, {"AudioWAV/1001_DFA_ANG_XX.wav": "", "VideoDemographics.csv": "id,gender\n1001,m\n"})
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv: .*ActorID.*Sex"):
        list(CORPUS.read(tmp_path))


def test_a_folder_of_something_else_needs_no_table(tmp_path):
    lay_out(tmp_path, ["a.wav", "03a01Fa.wav"])
    assert {entry.reason for entry in CORPUS.read(tmp_path)} == {UNEXPECTED_NAME}


def test_a_table_in_another_encoding_is_named(tmp_path):
    lay_out(tmp_path, ["AudioWAV/1001_DFA_ANG_XX.wav"])
    (tmp_path / "VideoDemographics.csv").write_bytes(TABLE.replace("Caucasian", "na\xefve").encode("cp1252"))
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv.*UTF-8"):
        list(CORPUS.read(tmp_path))
