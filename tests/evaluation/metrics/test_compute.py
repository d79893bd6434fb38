from dataclasses import replace

import numpy as np
import pytest
from datasets import Dataset
from sklearn.metrics import accuracy_score, f1_score, precision_score, r2_score, recall_score

from evaluation.metrics import compute
from evaluation.metrics.bootstrap import compare
from evaluation.metrics.bootstrap import resample as real
from evaluation.metrics.compute import ALL, compute_metrics, measure
from evaluation.metrics.scores import CLASSIFICATION_METRICS, REGRESSION_METRICS
from modeling import Task

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0)


def logits_of(labels, task=EMOTION):
    """Logits of a head that predicts these labels."""
    return np.eye(len(task.labels))[[task.labels.index(label) for label in labels]] * 4 - 1


def standardized(values):
    """Logits of the pitch head that mean these values in Hz."""
    return ((np.array(values, dtype=float) - PITCH.mean) / PITCH.std)[:, None]


def table(**columns):
    """Clips with all columns that a prepared folder has, as far as metrics ask for them."""
    clips = len(columns["corpus"])
    others = {"speaker": [None] * clips, "gender": [None] * clips, "duration_s": [2.0] * clips, "style": [None] * clips}
    return Dataset.from_dict({**others, **columns})


def emotions(truth, predicted, corpus=None, locale=None, intervals=True, **columns):
    corpus = corpus or ["alpha"] * len(truth)
    clips = table(emotion=truth, corpus=corpus, locale=locale or ["de-DE"] * len(truth), **columns)
    return compute_metrics(clips, {"emotion": logits_of(predicted)}, [EMOTION], intervals=intervals)["emotion"]


def pitches(truth, predicted, corpus=None, **options):
    corpus = corpus or ["alpha"] * len(truth)
    clips = table(f0_mean=truth, corpus=corpus, locale=["de-DE"] * len(truth))
    return compute_metrics(clips, {"f0_mean": standardized(predicted)}, [PITCH], **options)["f0_mean"]


def random_labels(size, seed=0, hit=0.5):
    """True and predicted emotions that agree a little more often than by chance."""
    random = np.random.default_rng(seed)
    truth = random.choice(EMOTION.labels, size, p=[0.6, 0.3, 0.1])
    predicted = np.where(random.random(size) < hit, truth, random.choice(EMOTION.labels, size))
    return truth.tolist(), predicted.tolist()


def test_classification_by_hand():
    truth = ["angry", "angry", "angry", "happy", "happy", "sad"]
    predicted = ["angry", "angry", "happy", "happy", "sad", "sad"]
    # F1: angry 2·2/(3 + 2), happy 2·1/(2 + 2), sad 2·1/(1 + 2)
    expected = {
        "weighted_f1": (3 * 0.8 + 2 * 0.5 + 1 * 2 / 3) / 6,
        "weighted_recall": 4 / 6,
        "weighted_precision": (3 * 1.0 + 2 * 0.5 + 1 * 0.5) / 6,
        "macro_f1": (0.8 + 0.5 + 2 / 3) / 3,
        "unweighted_recall": (2 / 3 + 1 / 2 + 1) / 3,
    }
    pooled = emotions(truth, predicted)["pooled"]
    assert {name: pooled[name] for name in CLASSIFICATION_METRICS} == pytest.approx(expected, abs=1e-12)
    assert pooled["clips"] == 6


def test_classification_is_scikit_learns():
    truth, predicted = random_labels(300)
    pooled = emotions(truth, predicted, intervals=False)["pooled"]
    for name, score in (("f1", f1_score), ("recall", recall_score), ("precision", precision_score)):
        assert pooled[f"weighted_{name}"] == pytest.approx(score(truth, predicted, average="weighted"), abs=1e-12)
    assert pooled["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"), abs=1e-12)
    assert pooled["unweighted_recall"] == pytest.approx(recall_score(truth, predicted, average="macro"), abs=1e-12)
    assert pooled["weighted_recall"] == pytest.approx(accuracy_score(truth, predicted), abs=1e-12)


def test_a_class_that_does_not_occur_is_left_out_of_the_means():
    pooled = emotions(["angry", "angry", "happy", "happy"], ["angry", "sad", "happy", "sad"])["pooled"]
    assert pooled["unweighted_recall"] == pytest.approx(0.5)
    assert pooled["macro_f1"] == pytest.approx(2 / 3)


def test_confusion_rows_are_true_classes():
    confusion = emotions(["angry", "angry", "angry", "sad"], ["happy", "happy", "angry", "sad"])["confusion"]
    assert confusion == {"labels": ["angry", "happy", "sad"], "counts": [[1, 2, 0], [0, 0, 0], [0, 0, 1]]}


def test_regression_by_independent_formulas():
    random = np.random.default_rng(0)
    truth = random.normal(200, 40, 50)
    predicted = 0.5 * truth + random.normal(110, 20, 50)
    pooled = pitches(truth.tolist(), predicted, intervals=False)["pooled"]
    rho = np.corrcoef(truth, predicted)[0, 1]
    spread = truth.std() ** 2 + predicted.std() ** 2 + (truth.mean() - predicted.mean()) ** 2
    expected = {
        "mae": np.abs(truth - predicted).mean(),
        "r2": r2_score(truth, predicted),
        "pearson": rho,
        "ccc": 2 * rho * truth.std() * predicted.std() / spread,
    }
    assert {name: pooled[name] for name in REGRESSION_METRICS} == pytest.approx(expected, rel=1e-5)
    assert pooled["clips"] == 50


def test_regression_is_in_the_tasks_unit():
    clips = table(f0_mean=[180.0, 280.0], corpus=["a", "a"], locale=["de-DE"] * 2)
    metrics = compute_metrics(clips, {"f0_mean": np.array([[0.0], [1.0]])}, [PITCH], intervals=False)["f0_mean"]
    assert metrics["unit"] == "Hz"
    assert metrics["pooled"]["mae"] == pytest.approx((0 + 50) / 2)
    assert metrics["pooled"]["r2"] == pytest.approx(1 - 50**2 / (2 * 50**2))


def test_constants_make_correlations_undefined():
    undefined = {"r2": None, "pearson": None, "ccc": None}
    truth_constant = pitches([200.0, 200.0, 200.0], [190.0, 200.0, 210.0])["pooled"]
    assert {name: truth_constant[name] for name in undefined} == undefined
    assert truth_constant["mae"] == pytest.approx(20 / 3, rel=1e-5)
    one_clip = pitches([200.0], [190.0])
    assert {name: one_clip["pooled"][name] for name in undefined} == undefined
    predicted_constant = pitches([150.0, 200.0, 250.0], [200.0, 200.0, 200.0])["pooled"]
    assert predicted_constant["pearson"] is None
    assert predicted_constant["r2"] == pytest.approx(0)
    assert predicted_constant["ccc"] == pytest.approx(0)
    mixed = pitches([200.0, 150.0, 250.0], [200.0, 160.0, 230.0], corpus=["one", "two", "two"])
    assert mixed["corpora"]["two"]["pearson"] == pytest.approx(1)
    assert mixed["corpora"]["one"]["pearson"] is None
    assert mixed["mean_over_corpora"]["pearson"] == pytest.approx(1)


def test_means_are_over_corpora_and_not_over_clips():
    # alpha: 1 of 1 right; beta: 1 of 4 right in de-DE, 2 of 2 in pl-PL.
    truth = ["sad"] * 7
    predicted = ["sad", "sad", "happy", "happy", "happy", "sad", "sad"]
    corpus = ["alpha"] + ["beta"] * 6
    locale = ["de-DE"] * 5 + ["pl-PL"] * 2
    metrics = emotions(truth, predicted, corpus, locale)
    assert {name: row["weighted_recall"] for name, row in metrics["corpora"].items()} == {"alpha": 1, "beta": 0.5}
    assert {name: row["clips"] for name, row in metrics["corpora"].items()} == {"alpha": 1, "beta": 6}
    assert metrics["mean_over_corpora"]["weighted_recall"] == pytest.approx(0.75)
    assert metrics["pooled"]["weighted_recall"] == pytest.approx(4 / 7)
    assert metrics["locales"]["de-DE"]["weighted_recall"] == pytest.approx((1 + 1 / 4) / 2)
    assert (metrics["locales"]["de-DE"]["clips"], metrics["locales"]["de-DE"]["corpora"]) == (5, ["alpha", "beta"])
    assert metrics["locales"]["pl-PL"]["weighted_recall"] == 1
    assert (metrics["locales"]["pl-PL"]["clips"], metrics["locales"]["pl-PL"]["corpora"]) == (2, ["beta"])
    assert metrics["mean_over_corpora"]["weighted_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_clip_without_a_locale_counts_in_its_corpus_alone():
    metrics = emotions(["sad", "angry"], ["sad", "sad"], locale=["de-DE", None])
    assert metrics["corpora"]["alpha"]["clips"] == 2
    assert {name: row["clips"] for name, row in metrics["locales"].items()} == {"de-DE": 1}


def test_clips_without_a_label_are_left_out():
    clips = table(
        emotion=["sad", None, "angry", None],
        f0_mean=[None, 200.0, 100.0, 150.0],
        corpus=["alpha", "alpha", "alpha", "beta"],
        locale=["de-DE"] * 4,
    )
    logits = {"emotion": logits_of(["sad", "sad", "sad", "sad"]), "f0_mean": standardized([0, 210, 110, 150])}
    metrics = compute_metrics(clips, logits, [EMOTION, PITCH])
    assert (metrics["emotion"]["clips"], metrics["emotion"]["pooled"]["weighted_recall"]) == (2, 0.5)
    assert metrics["emotion"]["corpora"].keys() == {"alpha"}
    assert metrics["f0_mean"]["clips"] == 3
    assert metrics["f0_mean"]["pooled"]["mae"] == pytest.approx(20 / 3, rel=1e-5)


def test_a_task_that_no_clip_has_a_label_for():
    clips = table(emotion=["sad"], f0_mean=[None], corpus=["a"], locale=["de-DE"])
    metrics = compute_metrics(clips, {"emotion": logits_of(["sad"]), "f0_mean": [[0.0]]}, [EMOTION, PITCH])
    assert metrics["f0_mean"] == {"kind": "regression", "clips": 0}
    assert metrics["emotion"]["clips"] == 1


def test_a_label_that_the_head_does_not_have_is_an_error():
    truth, predicted = random_labels(60)
    known = emotions(truth, predicted)
    truth, predicted = truth + ["proud"] * 20 + ["calm"], predicted + ["sad"] * 21
    metrics = emotions(truth, predicted)
    assert known["unknown_labels"] == {}
    assert metrics["unknown_labels"] == {"calm": 1, "proud": 20}
    assert metrics["clips"] == 81
    expected = f1_score(truth, predicted, average="weighted", zero_division=0)
    assert metrics["pooled"]["weighted_f1"] == pytest.approx(expected, abs=1e-12)
    assert expected < known["pooled"]["weighted_f1"] - 0.1
    assert metrics["pooled"]["weighted_recall"] == pytest.approx(known["pooled"]["weighted_recall"] * 60 / 81)
    assert metrics["confusion"]["labels"] == ["angry", "happy", "sad", "calm", "proud"]
    assert metrics["confusion"]["counts"][4] == [0, 0, 20, 0, 0]
    low, high = metrics["corpora"]["alpha"]["weighted_f1_ci"]
    assert low < expected < high < 1


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_the_estimate_and_are_as_wide_as_chance(seed):
    truth, predicted = random_labels(400, seed)
    alpha = emotions(truth, predicted)["corpora"]["alpha"]
    for name in CLASSIFICATION_METRICS:
        assert np.mean(alpha[f"{name}_ci"]) == pytest.approx(alpha[name], abs=0.01)
    low, high = alpha["weighted_recall_ci"]  # which is the share of hits, whose deviation is known
    p = alpha["weighted_recall"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(p * (1 - p) / 400), rel=0.1)


def test_intervals_of_means_add_up_the_corpora():
    truth, predicted = random_labels(400)
    metrics = emotions(truth, predicted, corpus=["alpha", "beta"] * 200)
    widths = [np.ptp(metrics["corpora"][name]["weighted_recall_ci"]) for name in ("alpha", "beta")]
    low, high = metrics["mean_over_corpora"]["weighted_recall_ci"]
    assert (low + high) / 2 == pytest.approx(metrics["mean_over_corpora"]["weighted_recall"], abs=0.01)
    assert high - low == pytest.approx(np.hypot(*widths) / 2, rel=0.15)


def test_intervals_of_a_regression():
    random = np.random.default_rng(0)
    truth = random.normal(200, 40, 300)
    predicted = truth + random.normal(0, 20, 300)
    pooled = pitches(truth.tolist(), predicted)["pooled"]
    for name in REGRESSION_METRICS:
        low, high = pooled[f"{name}_ci"]
        assert low < pooled[name] < high
    deviation = np.abs(truth - predicted).std() / np.sqrt(300)
    assert np.ptp(pooled["mae_ci"]) == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_intervals_shrink_with_more_clips_and_are_the_same_twice():
    truth, predicted = random_labels(50)
    few = emotions(truth, predicted)
    many = emotions(truth * 16, predicted * 16)
    ratio = np.ptp(few["corpora"]["alpha"]["weighted_f1_ci"]) / np.ptp(many["corpora"]["alpha"]["weighted_f1_ci"])
    assert ratio == pytest.approx(4, rel=0.15)
    assert emotions(truth, predicted) == few
    values = np.linspace(100, 300, 20)
    assert pitches(values.tolist(), values**1.01) == pitches(values.tolist(), values**1.01)


def test_intervals_can_be_left_out():
    truth, predicted = random_labels(20)
    assert "_ci" not in str(emotions(truth, predicted, intervals=False))
    assert "_ci" in str(emotions(truth, predicted))
    assert "_ci" not in str(pitches([100.0, 200.0], [110.0, 190.0], intervals=False))


def test_intervals_are_those_of_speakers():
    # Five speakers of twenty clips, each wholly right or wholly wrong.
    truth, predicted = ["sad"] * 100, ["sad"] * 60 + ["angry"] * 40
    speaker = [f"s{i // 20}" for i in range(100)]
    alpha = emotions(truth, predicted, speaker=speaker)["corpora"]["alpha"]
    assert alpha["speakers"] == 5
    assert alpha["weighted_recall_ci"] == pytest.approx([0.2, 1.0])  # 1 and 5 of 5
    by_clip = emotions(truth, predicted)["corpora"]["alpha"]
    assert by_clip["speakers"] is None
    assert np.ptp(by_clip["weighted_recall_ci"]) == pytest.approx(2 * 1.96 * np.sqrt(0.24 / 100), rel=0.1)


def test_every_row_has_all_intervals():
    truth, predicted = random_labels(120)
    metrics = emotions(truth, predicted, ["alpha", "beta"] * 60, ["de-DE", "de-DE", "pl-PL"] * 40)
    rows = [*metrics["corpora"].values(), *metrics["locales"].values(), metrics["mean_over_corpora"]]
    rows += [metrics["pooled"], *metrics["groups"]["duration"].values()]
    assert len(rows) == 7
    for row in rows:
        for name in CLASSIFICATION_METRICS:
            low, high = row[f"{name}_ci"]
            assert low < row[name] < high
    values = np.random.default_rng(0).normal(200, 40, 60)
    metrics = pitches(values.tolist(), values + 20 * np.sin(values), corpus=["alpha", "beta"] * 30)
    for row in (*metrics["corpora"].values(), *metrics["locales"].values(), metrics["pooled"]):
        assert {f"{name}_ci" for name in REGRESSION_METRICS} < row.keys()


def test_a_locale_and_a_mean_are_resampled_with_their_corpora():
    # beta is all right in de-DE and all wrong in pl-PL; alpha, in de-DE, is a coin.
    truth = ["sad"] * 80
    predicted = ["sad", "angry"] * 20 + ["sad"] * 20 + ["angry"] * 20
    metrics = emotions(truth, predicted, ["alpha"] * 40 + ["beta"] * 40, ["de-DE"] * 60 + ["pl-PL"] * 20)
    alpha = np.array(metrics["corpora"]["alpha"]["weighted_recall_ci"])
    assert metrics["locales"]["de-DE"]["weighted_recall_ci"] == pytest.approx((alpha + 1) / 2)
    assert metrics["locales"]["pl-PL"]["weighted_recall_ci"] == [0, 0]


def test_a_metric_that_is_undefined_in_a_corpus_is_left_out_of_the_means_interval():
    metrics = pitches([200.0, 150.0, 250.0, 180.0] * 5, [200.0, 160.0, 230.0, 190.0] * 5, ["one", *["two"] * 3] * 5)
    assert "pearson_ci" not in metrics["corpora"]["one"]
    assert metrics["mean_over_corpora"]["pearson_ci"] == metrics["corpora"]["two"]["pearson_ci"]
    assert metrics["mean_over_corpora"]["mae_ci"] != metrics["corpora"]["two"]["mae_ci"]


def test_groups_are_measured_over_their_clips():
    truth = ["sad", "sad", "angry", "angry", "sad", "sad"]
    predicted = ["sad", "angry", "angry", "angry", "angry", "sad"]
    corpus = ["alpha", "alpha", "beta", "beta", "beta", "beta"]
    gender = ["male", "female", "male", None, "female", "female"]
    seconds = [0.7, 0.8, 1.5, 7.0, 8.0, 9.0]
    columns = {"gender": gender, "duration_s": seconds, "style": ["acted"] * 5 + ["natural"]}
    groups = emotions(truth, predicted, corpus, **columns)["groups"]
    share = {kind: {name: row["weighted_recall"] for name, row in rows.items()} for kind, rows in groups.items()}
    assert share == {
        "gender": {"female": pytest.approx(1 / 3), "male": 1, "unknown": 1},
        "duration": {"under 1 s": 0.5, "1 to 2 s": 1, "over 6 s": pytest.approx(2 / 3)},
        "style": {"acted": pytest.approx(3 / 5), "natural": 1},
    }
    assert [row["clips"] for row in groups["gender"].values()] == [3, 2, 1]
    clips = table(
        f0_mean=[100.0, 200.0, 300.0], corpus=["alpha"] * 3, locale=["de-DE"] * 3, gender=["male"] * 2 + [None]
    )
    logits = {"f0_mean": standardized([110, 210, 250])}
    male, unknown = compute_metrics(clips, logits, [PITCH])["f0_mean"]["groups"]["gender"].values()
    assert (male["mae"], unknown["mae"]) == pytest.approx((10, 50), rel=1e-5)


def test_labels_that_no_clip_has_are_named():
    assert emotions(["sad", "sad"], ["sad", "happy"])["labels_without_clips"] == ["angry", "happy"]
    assert emotions(*random_labels(100))["labels_without_clips"] == []


def test_calibration_is_of_the_logits_as_they_come_and_as_they_were():
    truth, predicted = random_labels(60)
    clips = table(emotion=[*truth, "proud", None], corpus=["alpha"] * 62, locale=["de-DE"] * 62)
    logits = {"emotion": logits_of([*predicted, "sad", "sad"])}
    uncalibrated, calibrated = (
        compute_metrics(clips, logits, [replace(EMOTION, temperature=t)])["emotion"]["calibration"] for t in (1.0, 3.0)
    )
    assert (uncalibrated["temperature"], calibrated["temperature"]) == (1, 3)
    assert uncalibrated["before"] == uncalibrated["after"] == calibrated["after"] != calibrated["before"]
    confidence = np.exp(3) / (np.exp(3) + 2 * np.exp(-1))
    right = np.mean([t == p for t, p in zip(truth, predicted, strict=True)]) * 60 / 61
    assert uncalibrated["after"]["ece"] == pytest.approx(confidence - right)
    assert uncalibrated["bins"][0]["clips"] == uncalibrated["risk_coverage"][0]["clips"] == 61


def test_what_training_does_not_need_can_be_left_out():
    truth, predicted = random_labels(20)
    few = emotions(truth, predicted, intervals=False)
    assert emotions(truth, predicted).keys() - few.keys() == {"groups", "calibration"}


def test_models_are_compared_on_the_same_resamples():
    truth, better = random_labels(300, hit=0.8)
    worse = np.where(np.random.default_rng(1).random(300) < 0.1, "sad", better)
    columns = {"emotion": truth, "corpus": ["alpha", "beta"] * 150, "locale": ["de-DE"] * 300}
    clips = table(**columns, speaker=[f"s{i % 7}" for i in range(300)])
    measured = [measure(clips, {"emotion": logits_of(predicted)}, [EMOTION]) for predicted in (better, worse)]
    both = [each.resampled_means["emotion"] for each in measured]
    means = [resampled[ALL] for resampled in both]
    assert both[0].keys() == {ALL, "de-DE"}
    metrics = measured[0].metrics["emotion"]
    for name in CLASSIFICATION_METRICS:
        bounds = np.percentile(means[0][name], [2.5, 97.5])
        assert metrics["mean_over_corpora"][f"{name}_ci"] == pytest.approx(bounds)
        bounds = np.percentile(both[0]["de-DE"][name], [2.5, 97.5])
        assert metrics["locales"]["de-DE"][f"{name}_ci"] == pytest.approx(bounds)
    assert compare(means[0]["weighted_f1"], means[0]["weighted_f1"])["ci"] == [0, 0]
    difference = compare(means[0]["weighted_f1"], means[1]["weighted_f1"])
    assert difference["ci"][0] > 0
    assert difference["p"] == pytest.approx(2 / 1001)
    unpaired = compare(means[0]["weighted_f1"], np.roll(means[1]["weighted_f1"], 1))
    assert np.ptp(difference["ci"]) < 0.7 * np.ptp(unpaired["ci"])
    nothing = table(emotion=[None], corpus=["alpha"], locale=["de-DE"])
    assert measure(nothing, {"emotion": logits_of(["sad"])}, [EMOTION]).resampled_means == {}


def test_clips_are_resampled_once_for_all_heads_with_the_same_labeled_clips(monkeypatch):
    resampled = []
    monkeypatch.setattr(
        compute, "resample", lambda corpus, speaker: resampled.append(corpus.size) or real(corpus, speaker)
    )
    truth, predicted = random_labels(20)
    columns = {"emotion": truth, "f0_mean": [100.0 + i for i in range(20)], "part": [None, *truth[1:]]}
    clips = table(**columns, corpus=["alpha"] * 20, locale=["de-DE"] * 20)
    part = replace(EMOTION, name="part", column="part")
    logits = {"emotion": logits_of(predicted), "f0_mean": standardized(range(20)), "part": logits_of(predicted)}
    found = compute_metrics(clips, logits, [EMOTION, part, PITCH])
    assert resampled == [20, 19]
    assert list(found) == ["emotion", "part", "f0_mean"]


def few(row):
    """Whether a row has no interval at all, and its reason."""
    bounds = [value for name, value in row.items() if name.endswith("_ci")]
    assert bounds
    assert (bounds == [None] * len(bounds)) == ("ci_reason" in row)
    return row.get("ci_reason")


def test_a_corpus_of_few_speakers_or_clips_has_a_reason_in_place_of_intervals():
    truth, predicted = random_labels(138)
    corpus = ["one"] * 40 + ["two"] * 40 + ["three"] * 9 + ["four"] * 9 + ["many"] * 40
    speakers = {"one": 1, "two": 2, "three": 3, "four": 9, "many": 3}
    speaker = [f"s{i % speakers[name]}" for i, name in enumerate(corpus)]
    metrics = emotions(truth, predicted, corpus, corpus, speaker=speaker)
    expected = {
        "one": "fewer than 3 speakers (1)",
        "two": "fewer than 3 speakers (2)",
        "three": "fewer than 10 clips (9)",
        "four": "fewer than 10 clips (9)",
        "many": None,
    }
    assert {name: few(row) for name, row in metrics["corpora"].items()} == expected
    assert {name: few(row) for name, row in metrics["locales"].items()} == expected
    assert few(metrics["mean_over_corpora"]) is few(metrics["pooled"]) is None
    assert metrics["mean_over_corpora"]["speakers"] == metrics["pooled"]["speakers"] == 18


def test_one_speaker_alone_has_no_interval_anywhere():
    truth, predicted = random_labels(40)
    metrics = emotions(truth, predicted, speaker=["f1"] * 40)
    rows = [metrics["mean_over_corpora"], metrics["pooled"], *metrics["locales"].values()]
    rows += [row for groups in metrics["groups"].values() for row in groups.values()]
    rows += [metrics["calibration"]["before"], metrics["calibration"]["after"]]
    assert len(rows) == 8
    assert {few(row) for row in rows} == {"fewer than 3 speakers (1)"}
    values = np.linspace(100, 300, 40)
    pooled = compute_metrics(
        table(f0_mean=values.tolist(), corpus=["a"] * 40, locale=["de-DE"] * 40, speaker=["f1"] * 40),
        {"f0_mean": standardized(values**1.01)},
        [PITCH],
    )["f0_mean"]["pooled"]
    assert (pooled["mae_ci"], few(pooled)) == (None, "fewer than 3 speakers (1)")


def test_a_name_in_two_corpora_is_two_speakers():
    truth, predicted = random_labels(40)
    metrics = emotions(truth, predicted, ["alpha", "beta"] * 20, speaker=["f1", "f1", "f2", "f2"] * 10)
    assert metrics["pooled"]["speakers"] == metrics["mean_over_corpora"]["speakers"] == 4
    assert few(metrics["pooled"]) is few(metrics["mean_over_corpora"]) is None


def test_a_group_of_one_clip_has_no_interval_and_clips_of_unknown_speakers_count_as_one_each():
    truth, predicted = random_labels(41)
    groups = emotions(truth, predicted, gender=["male"] * 40 + ["female"])["groups"]["gender"]
    assert few(groups["female"]) == "fewer than 10 clips (1)"
    assert few(groups["male"]) is None
    assert groups["male"]["speakers"] is None
