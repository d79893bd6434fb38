from collections import Counter

import pytest

from preprocessing.clip import Clip, SkippedClip
from preprocessing.corpora.scan import UNKNOWN_GENDER, Source, no_counterpart, scan
from preprocessing.corpora.user_audio import NO_CLASS, NOT_AUDIO, UserAudio
from tests.support.corpora import ravdess
from tests.support.corpus_folders import lay_out


@pytest.fixture
def classes(tmp_path):
    lay_out(tmp_path / "calls", ["Anger/a.wav", "Anger/deep/b.mp3", "joy/c.flac", "joy/notes.txt", "d.wav"])
    return tmp_path / "calls"


def test_a_folder_per_class(classes):
    entries = scan([Source("folder", classes)], user_audio=UserAudio(locale="de-DE", style="natural"))
    clips = [entry for entry in entries if isinstance(entry, Clip)]
    assert {(clip.id, clip.emotion, clip.raw_label) for clip in clips} == {
        ("calls/Anger/a.wav", "angry", "Anger"),
        ("calls/Anger/deep/b.mp3", "angry", "Anger"),
        ("calls/joy/c.flac", "happy", "joy"),
    }
    assert {(clip.corpus, clip.locale, clip.style, clip.gender) for clip in clips} == {
        ("calls", "de-DE", "natural", None)
    }
    assert {(entry.id, entry.reason) for entry in entries if isinstance(entry, SkippedClip)} == {
        ("calls/joy/notes.txt", NOT_AUDIO),
        ("calls/d.wav", NO_CLASS),
    }


def test_an_unknown_label_is_refused_with_the_flag_that_maps_it(classes):
    lay_out(classes, ["frustrated/e.wav", "frustrated/f.wav"])
    with pytest.raises(ValueError, match=r"'frustrated' \(2 clips\).* --label_map frustrated="):
        scan([Source("folder", classes)])


@pytest.mark.parametrize(("name", "expected"), [("angry", "angry"), ("frustrated", "frustrated"), ("none", None)])
def test_a_label_can_be_mapped_be_a_class_of_its_own_or_go(classes, name, expected):
    lay_out(classes, ["Frustrated/e.wav"])
    entries = scan([Source("folder", classes)], label_map={"frustrated": name})
    (entry,) = [entry for entry in entries if entry.id == "calls/Frustrated/e.wav"]
    if expected is None:
        assert entry == SkippedClip(entry.id, no_counterpart("Frustrated"))
    else:
        assert entry.emotion == expected


def test_the_papers_merges_are_not_a_users(classes):
    lay_out(classes, ["boredom/e.wav"])
    with pytest.raises(ValueError, match="'boredom'"):
        scan([Source("folder", classes)], label_rules="paper")


@pytest.mark.slow
def test_strict_labels_keep_what_means_one_of_the_seven(tmp_path):
    lay_out(tmp_path, ravdess.tree())
    entries = scan([Source("ravdess", tmp_path)], label_rules="strict")
    kept = Counter(entry.emotion for entry in entries if isinstance(entry, Clip))
    skipped = Counter(entry.reason for entry in entries if isinstance(entry, SkippedClip))
    assert kept["neutral"] == 188
    assert skipped == {no_counterpart("calm"): 376}


def test_label_rules_from_a_file(tmp_path):
    lay_out(tmp_path, ravdess.tree())
    (tmp_path / "rules.yaml").write_text("Calm: calm\nangry: high\nhappy: high\n")
    entries = scan([Source("ravdess", tmp_path)], label_rules=str(tmp_path / "rules.yaml"))
    assert Counter(e.emotion for e in entries if isinstance(e, Clip)) == {"high": 752, "calm": 376}


@pytest.mark.parametrize("content", ["- a\n", "angry: 3\n"])
def test_invalid_label_rules_are_refused(tmp_path, content):
    (tmp_path / "rules.yaml").write_text(content)
    with pytest.raises(ValueError, match=r"rules\.yaml"):
        scan([], label_rules=str(tmp_path / "rules.yaml"))
    with pytest.raises(ValueError, match=r"--label_rules .*'loose'"):
        scan([], label_rules="loose")


@pytest.mark.slow
def test_the_folder_of_another_corpus_is_recognized(tmp_path):
    lay_out(tmp_path, ravdess.tree())
    message = r"emodb.* wav/SStttEv\.wav.* 2452 other files.* ravdess \(2452 clips\)"
    with pytest.raises(ValueError, match=message):
        scan([Source("emodb", tmp_path)])


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=str(tmp_path)):
        scan([Source("ravdess", tmp_path)])
    with pytest.raises(ValueError, match=str(tmp_path)):
        scan([Source("folder", tmp_path)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ravdess", "NAME=FOLDER"),
        ("ravdes=/tmp", "'ravdes'.* ravdess.* folder .*table"),
        ("ravdess=/nowhere", "/nowhere: .*ravdess"),
        ("table=/nowhere/x.csv", r"/nowhere/x\.csv"),
    ],
)
def test_an_invalid_source_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Source.parse(text)


def test_two_corpora_of_one_name_are_an_error(tmp_path):
    lay_out(tmp_path, ["a/calls/joy/x.wav", "b/calls/joy/x.wav"])
    with pytest.raises(ValueError, match="calls"):
        scan([Source("folder", tmp_path / "a/calls"), Source("folder", tmp_path / "b/calls")])


def test_ravdess_as_it_is(real_audio):
    entries = scan([Source("ravdess", real_audio / "ravdess")])
    assert Counter(type(entry) for entry in entries) == {Clip: 720}
    assert Counter(clip.emotion for clip in entries) == {
        "neutral": 144,
        **dict.fromkeys(("angry", "disgust", "fear", "happy", "sad", "surprise"), 96),
    }
    assert Counter(clip.gender for clip in entries) == {"male": 360, "female": 360}


def test_nemo_by_its_table(real_audio):
    names = dict(
        pair.split("=")
        for pair in "anger=angry fear=fear happiness=happy neutral=neutral sadness=sad surprised=surprise".split()
    )
    options = UserAudio(
        locale="pl-PL",
        style="acted",
        columns={"path": "file_id", "speaker": "speaker_id", "sentence": "raw_text"},
        audio_folder="samples",
    )
    entries = scan([Source("table", real_audio / "nemo/data.tsv")], label_map=names, user_audio=options)
    assert Counter(type(entry) for entry in entries) == {Clip: 479}
    assert Counter(clip.speaker for clip in entries).keys() == {clip.speaker.strip() for clip in entries}
    assert len({clip.speaker for clip in entries}) == 4
    assert {clip.corpus for clip in entries} == {"nemo"}
    assert Counter(clip.emotion for clip in entries)["angry"] == 80


def test_links_are_followed_and_a_circle_of_them_ends(tmp_path):
    lay_out(tmp_path / "elsewhere", ["a.wav", "b.wav"])
    lay_out(tmp_path / "mine" / "happy", ["c.wav"])
    (tmp_path / "mine" / "angry").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "mine" / "happy" / "again").symlink_to(tmp_path / "mine")
    entries = scan([Source("folder", tmp_path / "mine")])
    assert sorted(entry.id for entry in entries) == ["mine/angry/a.wav", "mine/angry/b.wav", "mine/happy/c.wav"]


def test_a_users_label_map_ignores_case(tmp_path):
    lay_out(tmp_path / "mine", ["joyful/a.wav", "calm/b.wav"])
    label_map = {"Joyful": "Happy", "calm": "None"}
    joyful, calm = sorted(scan([Source("folder", tmp_path / "mine")], label_map=label_map), key=lambda e: e.id)[::-1]
    assert joyful.emotion == "happy"
    assert calm.reason == no_counterpart("calm")


def test_a_file_of_rules_is_for_a_users_own_audio_too(tmp_path):
    lay_out(tmp_path / "mine", ["frustration/a.wav"])
    (tmp_path / "rules.yaml").write_text("frustration: angry\n")
    (clip,) = scan([Source("folder", tmp_path / "mine")], label_rules=str(tmp_path / "rules.yaml"))
    assert clip.emotion == "angry"


MESD = {
    "Mexican Emotional Speech Database (MESD)/" + name: "" for name in ("Anger_C_A_tarde.wav", "Anger_F_A_tarde.wav")
}


def test_under_the_papers_rules_every_voice_is_a_mans_or_a_womans(tmp_path):
    lay_out(tmp_path, MESD)
    child, woman = scan([Source("mesd", tmp_path)])
    assert child.reason == UNKNOWN_GENDER
    assert woman.gender == "female"
    child, woman = scan([Source("mesd", tmp_path)], label_rules="strict")
    assert (child.gender, woman.gender) == (None, "female")


def test_a_user_may_give_the_gender_of_speakers(tmp_path):
    lay_out(tmp_path, {"62pA_fear8.wav": "", "62pB_fear8.wav": ""})
    assert [clip.gender for clip in scan([Source("castro", tmp_path)])] == [None, None]
    genders = {"castro": {scan([Source("castro", tmp_path)])[0].speaker: "female"}}
    assert [clip.gender for clip in scan([Source("castro", tmp_path)], speaker_genders=genders)] == ["female", None]


def test_a_speaker_who_does_not_occur_is_refused(tmp_path):
    lay_out(tmp_path, ["wav/03a01Fa.wav"])
    for genders in ({"emodb": {"3": "male"}}, {"EMODB": {"03": "male"}}):
        with pytest.raises(ValueError, match=r"--speaker_genders: (emodb|EMODB) .* 0?3; .* (03|no clips)"):
            scan([Source("emodb", tmp_path)], speaker_genders=genders)


def test_a_users_corpus_has_a_name_of_its_own(tmp_path):
    lay_out(tmp_path / "ravdess", ["happy/a.wav"])
    with pytest.raises(ValueError, match="ravdess"):
        scan([Source("folder", tmp_path / "ravdess")])


def test_a_mapped_label_that_does_not_occur_is_refused(tmp_path):
    lay_out(tmp_path / "mine", ["joy/a.wav", "anger/b.wav"])
    with pytest.raises(ValueError, match=r"--label_map: .* angr .* anger, joy"):
        scan([Source("folder", tmp_path / "mine")], label_map={"angr": "angry"})


def test_each_own_corpus_has_its_own_locale_and_style(tmp_path):
    lay_out(tmp_path, ["calls/happy/a.wav", "film/happy/a.wav"])
    sources = [
        Source("folder", tmp_path / "calls", locale="en-US", style="natural"),
        Source("folder", tmp_path / "film", locale="de-DE", style="acted"),
    ]
    assert [(clip.locale, clip.style) for clip in scan(sources)] == [("en-US", "natural"), ("de-DE", "acted")]
