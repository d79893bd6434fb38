"""A film and its dub -> the lines that are spoken differently, the worst first, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import median_abs_deviation

from ..engine.predictor import Predictor
from .alignment import Alignment, align
from .line_matching import MatchedLines, match_lines
from .normalization import normalize
from .prosody import LineProsody, measure_prosody
from .speech_activity import measure_activity

_UNITS = {"emotion": "of 1", "pitch": "semitones", "energy": "dB"}
_SIGNIFICANCE = 0.05  # share of random pairings that may agree as well as the same lines do
_MIN_AGREEMENT = 0.2  # a model that distinguishes the emotions brings the same lines this much closer
_MIN_LINES = 20  # to test whether they agree


@dataclass(frozen=True)
class Limits:
    """The smallest differences between the two versions of a line that are findings.

    Each is relative to the usual difference of the tracks, without the effects of voices, mixes and languages.
    If the differences spread so much that a line is rarely within the default limit, three standard deviations replace
    it.

    Args:
        emotion: Jensen–Shannon distance between the two distributions over emotions, from 0 (the same) to 1
            (disjoint).
        pitch: in semitones.
        energy: in dB.

    Raises:
        ValueError: a limit is not above 0.
    """

    emotion: float = 0.3
    pitch: float = 3.0
    energy: float = 6.0

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if not limit > 0:
                raise ValueError(f"The limit of {name} must be above 0, got {limit}.")


@dataclass(frozen=True)
class DubCheck:
    """The result of a comparison of two tracks.

    Args:
        alignment: of the tracks.
        limits: that were applied.
        usual: the usual difference of the tracks, the median over the lines: `emotion`, `pitch`, `energy`, in the units
            of the limits, dub minus source. That of emotion is after normalization.
        rows: one dict per line. First those that differ, the worst first; then those that only one track has, in the
            order of time; then the others, in the order of `score`. `status` is `differs`, `missing in the dub`, `only
            in the dub` or `fits`.
        agreement: how much closer in emotion the same lines are than randomly paired lines, from 0 (equally far apart)
            to 1 (equal). `None` with too few lines.
        incomparable: those of `emotion`, `pitch`, `energy` in which the tracks cannot be compared reliably, or not with
            the given limit, and why. A line that differs from all others may still be a true finding.
    """

    alignment: Alignment
    limits: Limits
    usual: dict[str, float]
    rows: list[dict[str, Any]]
    agreement: float | None = None
    incomparable: dict[str, str] = field(default_factory=dict)

    def count(self, status: str) -> int:
        """Number of lines of a status."""
        return sum(row["status"] == status for row in self.rows)


def check_dub(predictor: Predictor, source: Any, dub: Any, limits: Limits = Limits()) -> DubCheck:
    """Compares how the lines of a film are spoken in two languages.

    Both tracks are read twice, a minute at a time: to align them, and to analyze the lines that they share.

    Args:
        predictor: whose main task is a classification.
        source, dub: anything that [`~modeling.AudioReader`] takes; the same film with the same cut.
        limits: above which a difference is a finding.

    Raises:
        AudioError: a track cannot be read.
        ValueError: the model has no classes, a track contains no speech, or the tracks do not match.
    """
    if not predictor.main_task.is_classification:
        raise ValueError(f"The main task must be a classification, got {predictor.main_task.name}, a regression.")
    source_activity, dub_activity = measure_activity(source), measure_activity(dub)
    alignment = align(source_activity, dub_activity)
    lines = match_lines(source_activity.lines, dub_activity.lines, alignment)
    if len(lines.source) == 0:
        raise ValueError("The tracks match, but have no lines in common.")
    delivered = measure_prosody(predictor, source, lines.source), measure_prosody(predictor, dub, lines.dub)
    normalized = normalize(*delivered)
    measured = _differences(*normalized)
    usual = {name: _usual(values) for name, values in _differences(*delivered).items()}
    usual["emotion"] = _usual(measured["emotion"])
    differences = {name: values - _usual(values) for name, values in measured.items()}
    reachable = {
        name: _reachable(values, getattr(limits, name), getattr(Limits(), name)) for name, values in differences.items()
    }
    agreement, agrees = _agreement(*(track.emotion for track in normalized))
    incomparable = _incomparable(limits, reachable, usual["emotion"], agrees)
    rows = _rows(lines, delivered, normalized, differences, predictor.main_task.labels, Limits(**reachable))
    findings = [row for row in rows if row["status"] == "differs"]
    others = [row for row in rows if row["status"] == "fits"]
    return DubCheck(
        alignment, limits, usual, [*findings, *_unmatched(lines, alignment), *others], agreement, incomparable
    )


def _reachable(differences: np.ndarray, limit: float, widest: float) -> float:
    """The smallest unusual difference: the limit, or three robust deviations if one exceeds `widest`."""
    known = differences[~np.isnan(differences)]
    deviation = float(median_abs_deviation(known, scale="normal")) if known.size else 0.0
    return max(limit, 3 * deviation) if deviation > widest else limit


def _incomparable(limits: Limits, reachable: dict[str, float], usual: float, agrees: bool) -> dict[str, str]:
    why = {
        name: f"usual differences spread so much that {found:.2g} {_UNITS[name]} is the limit, not "
        f"{getattr(limits, name):.2g}"
        for name, found in reachable.items()
        if found > getattr(limits, name)
    }
    if usual + reachable["emotion"] > 1:
        why["emotion"] = (
            f"lines usually are {usual:.2f} of 1 apart, so that no difference can be {reachable['emotion']:.2f} beyond"
        )
    elif not agrees:
        why["emotion"] = (
            f"the same lines are less than {_MIN_AGREEMENT:.0%} closer than lines that are paired at random: this "
            "model does not distinguish emotions in these tracks, or they do not change"
        )
    return why


def _agreement(source: np.ndarray, dub: np.ndarray) -> tuple[float | None, bool]:
    """How much closer the same lines are than shifted lines, and whether that is enough to compare them.

    It must be at least `_MIN_AGREEMENT`, and more than in 19 of 20 pairings of each line with a later one at a shift.
    """
    if len(dub) < _MIN_LINES:
        return None, True
    same, *shifted = (_distances(source, np.roll(dub, shift, axis=0)).mean() for shift in range(len(dub)))
    agreement = 1 - same / max(float(np.mean(shifted)), np.finfo(float).tiny)
    return agreement, agreement >= _MIN_AGREEMENT and np.mean(np.array(shifted) <= same) <= _SIGNIFICANCE


def _distances(source: np.ndarray, dub: np.ndarray) -> np.ndarray:
    # For equal distributions it may be the root of a rounding error below 0.
    return np.nan_to_num(jensenshannon(source, dub, base=2, axis=1))


def _differences(source: LineProsody, dub: LineProsody) -> dict[str, np.ndarray]:
    """Differences of the lines, dub minus source, each `(lines,)`; NaN if unknown."""
    return {
        "emotion": _distances(source.emotion, dub.emotion),
        "pitch": dub.pitch - source.pitch,
        "energy": dub.energy - source.energy,
    }


def _usual(differences: np.ndarray) -> float:
    known = differences[~np.isnan(differences)]
    return float(np.median(known)) if known.size else 0.0  # all lines may be whispered


def _rows(
    lines: MatchedLines,
    delivered: tuple[LineProsody, LineProsody],
    normalized: tuple[LineProsody, LineProsody],
    differences: dict[str, np.ndarray],
    labels: tuple[str, ...],
    limits: Limits,
) -> list[dict[str, Any]]:
    """A row per shared line, the largest `score` first."""
    # Emotions that are closer than usual do not count; pitch and energy count in both directions.
    sizes = {name: np.maximum(values, 0) if name == "emotion" else abs(values) for name, values in differences.items()}
    found = {name: size >= getattr(limits, name) for name, size in sizes.items()}
    score = _score(normalized[1].emotion - normalized[0].emotion, differences, limits)
    source, dub = delivered
    rows = []
    for line in np.argsort(-score, kind="stable"):
        predicted = {"source": _likeliest(source.emotion[line], labels), "dub": _likeliest(dub.emotion[line], labels)}
        by = {name: None if np.isnan(values[line]) else float(values[line]) for name, values in differences.items()}
        reasons = [_REASONS[name](predicted, by[name]) for name in found if found[name][line]]
        rows.append(
            {
                "status": "differs" if reasons else "fits",
                **_times(lines.source[line], lines.dub[line]),
                **{f"{track}_{key}": value for track, outputs in predicted.items() for key, value in outputs.items()},
                **{f"{name}_difference": value for name, value in by.items()},
                "score": float(score[line]),
                "reason": "; ".join(reasons),
            }
        )
    return rows


def _score(emotions: np.ndarray, differences: dict[str, np.ndarray], limits: Limits) -> np.ndarray:
    """How much each line stands out, `(lines,)`: the norm of its z-scores.

    Pitch and energy are scaled by robust deviations. Each class of emotion counts by itself, so that a change weighs
    more the rarer it is in these tracks: a model that often confuses calm with sadness rarely confuses it with anger.
    A difference far below a limit is not an outlier, even if all other lines agree: the limit is at least three
    deviations.
    """
    emotions = emotions - np.median(emotions, axis=0)
    deviations = [emotions / np.maximum(emotions.std(axis=0), limits.emotion / 3)]
    for name in ("pitch", "energy"):
        by = np.nan_to_num(differences[name])  # an unknown difference is not an outlier
        scale = max(median_abs_deviation(by, scale="normal"), getattr(limits, name) / 3)
        deviations.append(by[:, None] / scale)
    return np.linalg.norm(np.concatenate(deviations, axis=1), axis=1)


def _likeliest(probabilities: np.ndarray, labels: tuple[str, ...]) -> dict[str, Any]:
    best = int(probabilities.argmax())
    return {"emotion": labels[best], "emotion_score": float(probabilities[best])}


_REASONS = {
    "emotion": lambda predicted, _: ", ".join(
        f"{predicted[track]['emotion']} {predicted[track]['emotion_score']:.2f} in the {track}"
        for track in ("dub", "source")
    ),
    "pitch": lambda _, semitones: f"pitch {semitones:+.1f} semitones",
    "energy": lambda _, db: f"energy {db:+.1f} dB",
}


def _unmatched(lines: MatchedLines, alignment: Alignment) -> list[dict[str, Any]]:
    """A row per line that one track lacks, with the time at which it should have it."""
    rows = [{"status": "missing in the dub", **_times(line, alignment.to_dub(line))} for line in lines.missing]
    rows += [{"status": "only in the dub", **_times(alignment.to_source(line), line)} for line in lines.added]
    return sorted(rows, key=lambda row: row["source_start_s"])


def _times(source: np.ndarray, dub: np.ndarray) -> dict[str, float]:
    return {
        f"{track}_{end}_s": round(float(seconds), 3)
        for track, line in (("source", source), ("dub", dub))
        for end, seconds in zip(("start", "end"), line, strict=True)
    }
