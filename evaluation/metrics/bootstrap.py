"""Bootstrap that resamples speakers, then clips: intervals of metrics, and paired comparisons of models.

Clips of one speaker are alike, so that resampling clips one by one would make intervals too narrow. A resample of a
corpus takes its speakers with replacement and then, for each of them, as many clips as the speaker has, from these and
with replacement (Davison and Hinkley 1997, section 3.8). The resamples of a corpus depend on its own clips, their order
and its name alone: two models that are evaluated on the same clips get the same resamples.

Resamples of one or two speakers cannot show how others differ from them, and those of a few clips are a few values:
below 3 speakers or 10 clips there is no interval, but a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import stats

NUM_RESAMPLES = 1000
MIN_SPEAKERS, MIN_CLIPS = 3, 10  # for an interval
_CHUNK = 250_000  # weights that are computed with at a time; the random choices of a corpus depend on it

Resamples = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Corpus to the indices of its clips and how often each is in each resample, `(num_resamples, clips)`."""

_Part = TypeVar("_Part")


def resample(
    corpus: np.ndarray, speaker: np.ndarray, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Resamples:
    """Resamples the clips of each corpus.

    Args:
        corpus: of each clip, `(clips,)`.
        speaker: of each clip, `None` where unknown: such a clip is resampled by itself, as if it had a speaker of its
            own.
        num_resamples: how many there are of each corpus.
        seed: of the random choices, together with the name of the corpus.
    """
    return {
        name: _resample_corpus(
            np.flatnonzero(corpus == name), speaker, num_resamples, np.random.default_rng([seed, *str(name).encode()])
        )
        for name in dict.fromkeys(corpus)
    }


def _resample_corpus(
    members: np.ndarray, speaker: np.ndarray, num_resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    unit, known = pd.factorize(speaker[members])
    unknown = unit < 0
    unit[unknown] = len(known) + np.arange(unknown.sum())
    weights = np.empty((num_resamples, members.size), np.uint16)
    for chunk in _chunks(weights):
        weights[chunk] = _speaker_weights(random, len(weights[chunk]), np.bincount(unit))
    return members[np.argsort(unit, kind="stable")], weights


def _chunks(weights: np.ndarray) -> list[slice]:
    step = max(1, _CHUNK // weights.shape[1])
    return [slice(start, start + step) for start in range(0, len(weights), step)]


def _speaker_weights(random: np.random.Generator, num_resamples: int, sizes: np.ndarray) -> np.ndarray:
    """Weights `(num_resamples, clips)` of clips that are sorted by speaker, of whom each has `sizes[speaker]`."""
    clips = sizes.sum()
    speakers = random.integers(sizes.size, size=(num_resamples, sizes.size))
    counts = sizes[speakers]
    speaker = np.repeat(speakers.ravel(), counts.ravel())  # of each clip of the resample
    first = (np.cumsum(sizes) - sizes)[speaker]
    clip = first + (random.random(speaker.size) * sizes[speaker]).astype(np.int64)
    row = np.repeat(np.arange(num_resamples), counts.sum(axis=1))
    return np.bincount(row * clips + clip, minlength=num_resamples * clips).reshape(num_resamples, clips)


def resampled_sums(
    features: np.ndarray, parts: Mapping[_Part, np.ndarray], resamples: Resamples
) -> dict[_Part, np.ndarray]:
    """Sums of the clips' features over parts of the clips, in every resample.

    Args:
        features: `(clips, features)`.
        parts: name of a part to which clips belong to it, a boolean array `(clips,)`.
        resamples: of the clips.

    Returns:
        Name of a part to `(num_resamples, features)`.
    """
    num_resamples = len(next(iter(resamples.values()))[1])
    sums = {name: np.zeros((num_resamples, features.shape[1])) for name in parts}
    for members, weights in resamples.values():
        inside = {name: found for name, part in parts.items() if (found := np.flatnonzero(part[members])).size}
        for chunk in _chunks(weights):
            numbers = weights[chunk].astype(float)
            for name, mine in inside.items():
                chosen = numbers if mine.size == members.size else numbers[:, mine]
                sums[name][chunk] += chosen @ features[members[mine]]
    return sums


def mean_of_corpora(resampled: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over corpora, resample by resample; a corpus that has no value in one is left out of that one."""
    stacked = np.stack(resampled)
    valid = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(valid, stacked, 0).sum(axis=0) / valid.sum(axis=0)


def count_speakers(corpus: np.ndarray, speaker: np.ndarray) -> int:
    """Speakers of clips, as [`resample`] counts them: a clip whose speaker is unknown is one of its own."""
    known = {pair for pair in zip(corpus, speaker, strict=True) if pair[1] is not None}
    return len(known) + sum(name is None for name in speaker)


def too_few(clips: int, speakers: int) -> str | None:
    """Why so many clips of so many speakers have no interval, `None` where they have one."""
    if clips < MIN_CLIPS:
        return f"fewer than {MIN_CLIPS} clips ({clips})"
    return f"fewer than {MIN_SPEAKERS} speakers ({speakers})" if speakers < MIN_SPEAKERS else None


def interval(resampled: np.ndarray) -> list[float] | None:
    """The 95 % percentile interval of a metric's resamples `(num_resamples,)`; `None` where none has a value."""
    valid = resampled[np.isfinite(resampled)]
    return [float(bound) for bound in np.percentile(valid, [2.5, 97.5])] if valid.size else None


def seeds_interval(by_seed: np.ndarray) -> list[float] | None:
    """The 95 % interval of a mean over seeds, whose chance are speakers, clips and seeds.

    Args:
        by_seed: a metric from 0 to 1 in each resample of the clips, `(seeds, num_resamples)`.
    """
    return interval((by_seed.mean(axis=0) + _other_seeds([by_seed])[0]).clip(0, 1))


def _other_seeds(models: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """What other seeds would add to the mean over seeds of each model, in every resample of the clips.

    Seeds are resampled with replacement (the second stage of a hierarchical bootstrap), independently for each
    model and resample, by what they come to over all clips: how they differ in a single resample of the clips is that
    of the clips once more. Resamples of few seeds vary too little: their deviations are widened by sqrt(n / (n - 1))
    (Davison and Hinkley 1997, section 3.8), and as Student's t is wider than the normal distribution, with the
    degrees of freedom of Welch (1947). A single seed adds nothing: how much others would differ is unknown.

    Args:
        models: a metric of each, `(seeds, num_resamples)`; their sum or difference is what is of interest.
        seed: of the random choices.

    Returns:
        For each `(num_resamples,)`.
    """
    random = np.random.default_rng(seed)
    widening = _student_widening(models)
    found = []
    for by_seed in models:
        count, num_resamples = by_seed.shape
        estimates = np.nanmean(by_seed, axis=1) if count > 1 else np.zeros(1)
        deviation = estimates[random.integers(count, size=(count, num_resamples))].mean(axis=0) - estimates.mean()
        found.append(deviation * widening * np.sqrt(count / (count - 1)) if count > 1 else np.zeros(num_resamples))
    return found


def _student_widening(models: Sequence[np.ndarray]) -> float:
    """How much wider the 95 % interval of Student's t is than the normal one, for these numbers of seeds."""
    estimates = [np.nanmean(by_seed, axis=1) for by_seed in models if len(by_seed) > 1]
    variances = np.array([values.var(ddof=1) / values.size for values in estimates])
    if not variances.any():
        return 1.0
    freedom = variances.sum() ** 2 / sum(v**2 / (e.size - 1) for v, e in zip(variances, estimates, strict=True))
    return float(stats.t.ppf(0.975, freedom) / stats.norm.ppf(0.975))


def compare(resampled_a: np.ndarray, resampled_b: np.ndarray) -> dict[str, float | list[float] | None]:
    """Whether one model is better than another on the same clips, by the same resamples.

    Args:
        resampled_a, resampled_b: a metric of each model, `(num_resamples,)`, from equal resamples; of a model that was
            trained with several seeds `(seeds, num_resamples)`: then other seeds are a source of chance, too.

    Returns:
        - `difference`: the mean of `a - b` over the resamples; `ci`: its 95 % interval;
        - `p`: two-sided, twice the smaller share of resamples with `a - b` at or below 0, or at or above it, each share
          counted as `(n + 1) / (num_resamples + 1)`, so that it is never 0; at most 1.

    Raises:
        ValueError: the resamples are not paired, or in none of them both models have a value.
    """
    a, b = np.atleast_2d(resampled_a), np.atleast_2d(resampled_b)
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"Paired resamples must have equal shapes, got {a.shape[1:]} and {b.shape[1:]}.")
    of_means = a.mean(axis=0) - b.mean(axis=0)
    more_a, more_b = _other_seeds([a, b])
    difference = of_means + more_a - more_b
    difference = difference[np.isfinite(difference)]
    if not difference.size:
        raise ValueError("The models cannot be compared: in no resample both have a value.")
    smaller = min((difference <= 0).sum(), (difference >= 0).sum())
    return {
        "difference": float(of_means[np.isfinite(of_means)].mean()),
        "ci": interval(difference),
        "p": min(1.0, float(2 * (smaller + 1) / (difference.size + 1))),
    }
