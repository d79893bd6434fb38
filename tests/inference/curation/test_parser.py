import pytest

from inference.curation.conditions import Row, Vocabulary
from inference.curation.parser import parse_conditions

VOCABULARY = Vocabulary(
    labels={"emotion": ("angry", "neutral", "sad"), "language": ("en-US", "zh-Hans")},
    numbers=("emotion_score", "emotion_sad", "language_zh-Hans", "f0_mean", "duration_s"),
    own=("path", "speaker", "take", "duration", "my emotion"),
    path="path",
    speaker="speaker",
    words={"calm": "neutral"},
)
HEARD = {
    "emotion": "angry",
    "emotion_score": 0.814,
    "emotion_sad": 0.05,
    "language": "en-US",
    "language_score": 0.9,
    "language_zh-Hans": 0.01,
    "f0_mean": 212.345,
    "duration_s": 4.2,
    "manifest.take": "02",
    "manifest.duration": "5.01",
    "manifest.my emotion": "calm",
}


def judge(text, values=HEARD, vocabulary=VOCABULARY):
    (condition,) = parse_conditions([text], vocabulary)
    assert condition.needs() <= {*values, "f0_mean", "emotion_score", "language_score"}
    return condition.judge([Row(values)])[0]


@pytest.mark.parametrize(
    ("fulfilled", "not_fulfilled", "reason"),
    [
        ("emotion = Angry", "emotion = neutral", "emotion is angry 0.81, not neutral"),
        ("emotion=angry", "emotion=calm", "emotion is angry 0.81, not neutral"),
        ("emotion != sad", "emotion != angry", "emotion is angry 0.81"),
        ("emotion in angry, sad", "emotion in neutral,sad", "emotion is angry 0.81, not neutral or sad"),
        ("language not in zh-Hans", "language not in en-US,zh-Hans", "language is en-US 0.90"),
        (
            "emotion != manifest.my emotion",
            "emotion = manifest.my emotion",
            "emotion is angry 0.81, manifest.my emotion calm",
        ),
        ("emotion_score >= 0.814", "emotion_score > 0.814", "emotion_score is 0.814, not > 0.814"),
        ("emotion_score<=.9", "emotion_score < 5e-1", "emotion_score is 0.814, not < 5e-1"),
        ("language_zh-Hans < 0.5", "language_zh-Hans > 0.5", "language_zh-Hans is 0.01, not > 0.5"),
        ("duration_s in 1..15", "duration_s in 5..15", "duration_s is 4.2, not in 5..15"),
        ("f0_mean in 80..300.5", "f0_mean in -1..212", "f0_mean is 212.3, not in -1..212"),
        (
            "duration_s within 1 of manifest.duration",
            "duration_s within 0.1 of manifest.duration",
            "duration_s is 4.2, not within 0.1 of manifest.duration 5.01",
        ),
        ("duration_s within 0.2 of 4", "duration_s within 0.1 of 4", "duration_s is 4.2, not within 0.1 of 4"),
        (
            "duration_s <= manifest.duration",
            "duration_s > manifest.duration",
            "duration_s is 4.2, not > manifest.duration 5.01",
        ),
        ("manifest.take = 02", "manifest.take = 2", "manifest.take is 02, not 2"),
        ("manifest.take in 1..2", "manifest.take in 3..4", "manifest.take is 2, not in 3..4"),
        ("manifest.my emotion in calm,x", "manifest.my emotion in x,y", "manifest.my emotion is calm, not x or y"),
    ],
)
def test_each_form_judges_and_says_why(fulfilled, not_fulfilled, reason):
    assert judge(fulfilled) is None
    assert judge(not_fulfilled) == reason


def test_a_row_without_a_value_does_not_fulfil_any_condition_on_it():
    without = HEARD | {"f0_mean": None, "manifest.my emotion": None, "manifest.duration": "long"}
    assert judge("f0_mean in 80..300", without) == "has no f0_mean"
    assert judge("emotion != manifest.my emotion", without) == "has no manifest.my emotion"
    assert judge("duration_s < manifest.duration", without) == "manifest.duration is long, not a number"
    assert judge("f0_mean > manifest.my emotion", without) == "has no f0_mean and no manifest.my emotion"
    odd = HEARD | {"manifest.my emotion": "bored"}
    for side in ("=", "!="):
        why = "manifest.my emotion is bored, which is no emotion that the model knows"
        assert judge(f"emotion {side} manifest.my emotion", odd) == why


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("emotion ~ neutral", "cannot be read; a condition is one of: NAME = WORD, "),
        ("", "cannot be read"),
        ("f0_mean within 3 mad", "cannot be read"),
        ("unique sound", "cannot be read"),
        ("emotoin = sad", "nothing is called 'emotoin'; there are emotion, language, emotion_score, "),
        ("manifest.speakr = p1", "the manifest has no column 'speakr'; it has path, speaker, take, "),
        ("emotion = manifest.mood", "the manifest has no column 'mood'"),
        ("duration_s within 1 of manifest.mood", "the manifest has no column 'mood'"),
        ("emotion = joy", "the model knows no emotion 'joy'; it knows angry, neutral, sad"),
        ("emotion in sad,joy", "the model knows no emotion 'joy'"),
        ("emotion > 0.5", "emotion is one of angry, neutral, sad; the number is emotion_score"),
        ("emotion in 1..2", "the number is emotion_score"),
        ("emotion within 2 mad of all", "the number is emotion_score"),
        ("f0_mean = 3", "f0_mean is a number; say f0_mean in LOW..HIGH"),
        ("f0_mean = manifest.take", "f0_mean is a number"),
        ("f0_mean > low", "'low' is neither a number nor manifest.COLUMN"),
        ("f0_mean in 300..80", "300 is above 80"),
    ],
)
def test_a_condition_with_a_mistake_is_named_with_what_is_allowed(text, says):
    with pytest.raises(ValueError, match="Condition") as error:
        parse_conditions(["duration_s > 1", text], VOCABULARY)
    assert str(error.value).startswith(f"Condition {text!r}")
    assert says in str(error.value)


def test_speakers_need_a_column():
    nobody = Vocabulary(VOCABULARY.labels, VOCABULARY.numbers, ("path",), "path")
    for text in ("unique sound of speaker", "f0_mean within 3 mad of speaker"):
        with pytest.raises(ValueError, match="name it with --speaker_column"):
            parse_conditions([text], nobody)
        parse_conditions([text.replace("speaker", "all")], nobody)
