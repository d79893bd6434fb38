import numpy as np
import pandas as pd
import pytest

from inference.curation.columns import Columns
from inference.curation.conditions import evaluate, parse_conditions, unknown_labels

COLUMNS = Columns(
    labels={"emotion": ("angry", "neutral", "sad"), "language": ("en-US", "zh-Hans")},
    numbers=("emotion_score", "emotion_sad", "language_score", "language_zh-Hans", "f0_mean", "duration_s"),
    manifest=("path", "speaker", "take", "duration", "my emotion"),
    path="path",
    speaker="speaker",
    label_map={"calm": "neutral"},
)
ROW = {
    "emotion": "angry",
    "emotion_score": 0.814,
    "emotion_sad": 0.05,
    "language": "en-US",
    "language_score": 0.9,
    "language_zh_Hans": 0.01,
    "f0_mean": 212.345,
    "duration_s": 4.2,
    "manifest_take": "02",
    "manifest_duration": "5.01",
    "manifest_speaker": "p1",
    "manifest_my_emotion": "calm",
}


def reason(text, row=ROW):
    conditions = parse_conditions([text], COLUMNS)
    frame = pd.DataFrame([row], dtype=object)
    assert {need for name in conditions[0].names for need in COLUMNS.needs(name)} <= {*frame.columns}
    return evaluate(conditions, frame, COLUMNS).iloc[0, 0]


@pytest.mark.parametrize(
    ("fulfilled", "not_fulfilled", "data"),
    [
        ("emotion == 'Angry'", "emotion == 'neutral'", "emotion is angry (0.81)"),
        ("emotion=='angry'", 'emotion=="calm"', "emotion is angry (0.81)"),
        ("'angry' == emotion", "'sad' == emotion", "emotion is angry (0.81)"),
        ("emotion != 'sad'", "emotion != 'angry'", "emotion is angry (0.81)"),
        ("emotion in ['angry', 'sad']", "emotion in ('neutral', 'sad')", "emotion is angry (0.81)"),
        ("language not in ['zh-Hans']", "language not in ['en-US', 'zh-Hans']", "language is en-US (0.90)"),
        (
            "emotion != manifest_my_emotion",
            "emotion == manifest_my_emotion",
            "emotion is angry (0.81), manifest_my_emotion is calm",
        ),
        ("emotion_score >= 0.814", "emotion_score > 0.814", "emotion_score is 0.814"),
        ("emotion_score<=.9", "emotion_score < 5e-1", "emotion_score is 0.814"),
        ("language_zh_Hans < 0.5", "language_zh_Hans > 0.5", "language_zh_Hans is 0.01"),
        ("1 <= duration_s <= 15", "5 <= duration_s <= 15", "duration_s is 4.2"),
        ("80 <= f0_mean and f0_mean <= 300.5", "-1 <= f0_mean <= 212", "f0_mean is 212.3"),
        (
            "-1 <= duration_s - manifest_duration <= 1",
            "-0.1 <= duration_s - manifest_duration <= 0.1",
            "duration_s is 4.2, manifest_duration is 5.01",
        ),
        (
            "duration_s <= manifest_duration",
            "duration_s > 2 * manifest_duration / 2",
            "duration_s is 4.2, manifest_duration is 5.01",
        ),
        ("manifest_take == '02'", "manifest_take == '2'", "manifest_take is 02"),
        ("1 <= manifest_take <= 2", "3 <= manifest_take <= 4", "manifest_take is 02"),
        ("manifest_take == 2", "manifest_take != 2", "manifest_take is 02"),
        ("manifest_my_emotion in ['calm', 'x']", "manifest_my_emotion in ['x']", "manifest_my_emotion is calm"),
        (
            "f0_mean_zscore <= 3",
            "f0_mean_zscore > 3",
            "f0_mean_zscore is 0 (f0_mean is 212.3, the median of 1 rows is 212.3)",
        ),
        ("emotion == 'sad' or f0_mean > 200", "not (emotion == 'sad' or f0_mean > 200)", "f0_mean is 212.3"),
    ],
)
def test_every_form_is_evaluated_and_its_reason_has_the_values(fulfilled, not_fulfilled, data):
    assert pd.isna(reason(fulfilled))
    assert reason(not_fulfilled).startswith(f"{not_fulfilled}: ")
    assert data in reason(not_fulfilled)


def test_a_row_without_a_value_does_not_fulfil_any_condition_on_it():
    without = ROW | {
        "f0_mean": None,
        "manifest_my_emotion": None,
        "manifest_duration": "long",
        "manifest_speaker": None,
    }
    for text, data in [
        ("80 <= f0_mean <= 300", "f0_mean is missing"),
        ("not f0_mean > 80", "f0_mean is missing"),
        ("emotion != manifest_my_emotion", "manifest_my_emotion is missing"),
        ("duration_s < manifest_duration", "manifest_duration is long"),
        ("manifest_duration_zscore < 3", "manifest_duration is long"),
        ("f0_mean_zscore_by_speaker < 3", "f0_mean is missing and manifest_speaker is missing"),
    ]:
        assert reason(text, without).startswith(f"{text}: {data}")
    odd = ROW | {"manifest_my_emotion": "bored"}
    for side in ("==", "!="):
        assert "manifest_my_emotion is bored" in reason(f"emotion {side} manifest_my_emotion", odd)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("emotion = 'neutral'", "emotion == 'neutral'"),
        ("emotion ~ neutral", "not a valid expression"),
        ("", "not a valid expression"),
        ("emotoin == 'sad'", "'emotoin'; did you mean emotion"),
        ("emotion == sad", "quotation marks: 'sad'"),
        ("manifest_speakr == 'p1'", "manifest_speaker"),
        ("emotion == 'joy'", "emotion 'joy'; it has angry, neutral, sad"),
        ("emotion in ['sad', 'joy']", "'joy'"),
        ("emotion > 0.5", "emotion_score"),
        ("emotion > 'happy'", "emotion_score"),
        ("emotion_zscore <= 2", "emotion_zscore"),
        ("f0_mean == 'low'", "'low' is not a number"),
        ("f0_mean == emotion", "emotion_score"),
        ("emotion in 'sad'", "Condition"),
        ("emotion == ['sad', 'angry']", "Condition"),
        ("emotion in manifest_take", "Condition"),
        ("f0_mean", "not a condition"),
        ("'sad'", "not a condition"),
        ("1 < 2", "no column"),
        ("(f0_mean > 1) == (duration_s > 1)", "compared"),
        ("manifest_take == 'x' and manifest_take > 3", "manifest_take"),
        ("f0_mean > 1 / 0", "zero"),
    ],
)
def test_an_invalid_condition_is_named_with_what_is_allowed(text, data):
    with pytest.raises(ValueError, match=data) as error:
        parse_conditions(["duration_s > 1", text], COLUMNS)
    assert str(error.value).startswith(f"Condition {text!r}")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x') == 0",
        "emotion.__class__ == 'x'",
        "emotion.str.len() > 1",
        "@emotion == 'sad'",
        "@pd.eval('1') == 1",
        "abs(f0_mean) > 1",
        "f0_mean[0] > 1",
        "(lambda: 1) == 1",
        "[x for x in emotion] == 1",
        "(f0_mean := 3) > 1",
        "f0_mean ** 9 ** 9 > 1",
        "f0_mean % 2 == 0",
        "f'{emotion}' == 'sad'",
        "True",
        "emotion == None",
        "emotion is 'sad'",
        "~(f0_mean > 1)",
        "(f0_mean > 1) & (f0_mean < 2)",
        "f0_mean > 1; f0_mean > 2",
        "index == 1",
        "f0_mean > 1\nf0_mean < 2",
        "f0_mean > 1j",
        "emotion == b'sad'",
        "emotion == 'sad' if f0_mean > 1 else True",
        "(" * 10_000 + "f0_mean > 1" + ")" * 10_000,
        "not " * 10_000 + "f0_mean > 1",
        "f0_mean > " + "9" * 1_000,
        "`f0_mean` > 1",
        "f0_mean > 1 # \0",
    ],
)
def test_nothing_but_comparisons_of_columns_is_evaluated(text):
    with pytest.raises(ValueError, match="Condition"):
        parse_conditions([text], COLUMNS)


@pytest.mark.parametrize("label", ["a`b`", "@x", "#", "it's", 'the "x"', "a\nb", "=", "\\", "ünd", "{0}"])
def test_a_label_may_have_any_characters(label):
    assert pd.isna(reason(f"manifest_my_emotion == {label!r}", ROW | {"manifest_my_emotion": label}))
    assert reason(f"manifest_my_emotion != {label!r}", ROW | {"manifest_my_emotion": label})


def test_a_column_in_which_no_label_is_a_class_has_unknown_labels_only():
    (condition,) = parse_conditions(["emotion == manifest_my_emotion"], COLUMNS)
    frame = pd.DataFrame({"manifest_my_emotion": ["w", "m", None, "calm", "Sad"]}, dtype=object)
    ((head, name, unknown),) = unknown_labels(condition, frame, COLUMNS)
    assert (head, name, unknown.tolist()) == ("emotion", "manifest_my_emotion", [True, True, False, False, False])


def test_conditions_keep_their_order_and_unique_sounds_are_compared_last(monkeypatch):
    seen = []

    def find_duplicates(frame, groups, fulfilled):
        seen.append(fulfilled.tolist())
        return pd.Series([np.nan, 0.0], frame.index)

    monkeypatch.setattr("inference.curation.columns.find_duplicates", find_duplicates)
    frame = pd.DataFrame([ROW, ROW | {"f0_mean": 80.0}], dtype=object).assign(
        manifest_path=["a.wav", "b.wav"], fingerprint=0
    )
    texts = ["unique_sound", "f0_mean > 100", "unique_sound or emotion == 'sad'", "unique_sound"]
    reasons = evaluate(parse_conditions(texts, COLUMNS), frame, COLUMNS)
    assert list(reasons) == texts[:3]
    assert seen == [[True, False]]
    assert reasons.notna().to_numpy().tolist() == [[False] * 3, [True] * 3]
    assert "a.wav" in reasons.loc[1, "unique_sound"]


def test_no_rows_have_no_reasons():
    conditions = parse_conditions(["f0_mean > 1", "emotion == 'sad'", "f0_mean_zscore < 1", "unique_sound"], COLUMNS)
    frame = pd.DataFrame(columns=[*ROW, "file", "fingerprint", "manifest_path"], dtype=object)
    assert evaluate(conditions, frame, COLUMNS).empty
    assert evaluate([], frame, COLUMNS).empty
