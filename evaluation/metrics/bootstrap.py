"""Bootstrap that resamples speakers, then clips: intervals of metrics, and paired comparisons of models.

Clips of one speaker are alike, so that clips drawn one by one would make intervals too narrow. A corpus is resampled by
drawing its speakers with replacement and then, for each drawn speaker, as many clips as the speaker has, from these and
with replacement (Davison and Hinkley 1997, section 3.8). The draws of a corpus hang on its own clips, their order and
its name alone: two models that are evaluated on the same clips get the same resamples.

Resamples of one or two speakers cannot show how others differ from them, and those of a few clips are a few values:
below 3 speakers or 10 clips there is no interval, but a reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

RESAMPLES = 1000
MIN_SPEAKERS, MIN_CLIPS = 3, 10  # for an interval
_CHUNK = 250_000  # weights that are held at a time


def resample(
    corpus: np.ndarray, speaker: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[tuple[np.ndarray, slice, np.ndarray]]:
    """How often each clip is drawn, corpus by corpus and some resamples at a time.

    Args:
        corpus: of each clip, `(clips,)`.
        speaker: of each clip, `None` where unknown: such a clip is drawn by itself, as if it had a speaker of its own.
        resamples: how many there are of each corpus.
        seed: of the draws, together with the name of the corpus.

    Yields:
        Indices of a corpus's clips, which of the resamples follow, and their weights `(resamples, clips)`.
    """
    for name in dict.fromkeys(corpus):
        members = np.flatnonzero(corpus == name)
        random = np.random.default_rng([seed, *str(name).encode()])
        unit, known = pd.factorize(speaker[members])
        unknown = unit < 0
        unit[unknown] = len(known) + np.arange(unknown.sum())
        members = members[np.argsort(unit, kind="stable")]
        sizes = np.bincount(unit)
        step = max(1, _CHUNK // members.size)
        for start in range(0, resamples, step):
            which = slice(start, min(start + step, resamples))
            yield members, which, _draw(random, which.stop - which.start, sizes)


def _draw(random: np.random.Generator, resamples: int, sizes: np.ndarray) -> np.ndarray:
    """Weights `(resamples, clips)` of clips that are sorted by speaker, of whom each has `sizes[speaker]`."""
    clips = sizes.sum()
    speakers = random.integers(sizes.size, size=(resamples, sizes.size))
    counts = sizes[speakers]
    drawn_from = np.repeat(speakers.ravel(), counts.ravel())  # the speaker of each clip that is to be drawn
    first = (np.cumsum(sizes) - sizes)[drawn_from]
    clip = first + (random.random(drawn_from.size) * sizes[drawn_from]).astype(np.int64)
    row = np.repeat(np.arange(resamples), counts.sum(axis=1))
    drawn = np.bincount(row * clips + clip, minlength=resamples * clips)
    return drawn.reshape(resamples, clips).astype(float)


def resampled_sums(
    features: np.ndarray,
    parts: Mapping[Hashable, np.ndarray],
    corpus: np.ndarray,
    speaker: np.ndarray,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Hashable, np.ndarray]:
    """Sums of the clips' features over parts of the clips, in every resample.

    Args:
        features: `(clips, features)`.
        parts: name of a part to which clips belong to it, a boolean array `(clips,)`.
        corpus, speaker, resamples, seed: as in [`resample`].

    Returns:
        Name of a part to `(resamples, features)`.
    """
    sums = {name: np.zeros((resamples, features.shape[1])) for name in parts}
    for members, which, weights in resample(corpus, speaker, resamples=resamples, seed=seed):
        for name, part in parts.items():
            inside = np.flatnonzero(part[members])
            if inside.size:
                mine = weights if inside.size == members.size else weights[:, inside]
                sums[name][which] += mine @ features[members[inside]]
    return sums


def mean_resamples(draws: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over corpora, resample by resample; a corpus that has no value in one is left out of that one."""
    stacked = np.stack(draws)
    valid = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(valid, stacked, 0).sum(axis=0) / valid.sum(axis=0)


def count_speakers(corpus: np.ndarray, speaker: np.ndarray) -> int:
    """Speakers of clips, as [`resample`] draws them: a clip whose speaker is unknown is one of its own."""
    known = {pair for pair in zip(corpus, speaker, strict=True) if pair[1] is not None}
    return len(known) + sum(name is None for name in speaker)


def too_few(clips: int, speakers: int) -> str | None:
    """Why so many clips of so many speakers have no interval, `None` where they have one."""
    if clips < MIN_CLIPS:
        return f"fewer than {MIN_CLIPS} clips ({clips})"
    return f"fewer than {MIN_SPEAKERS} speakers ({speakers})" if speakers < MIN_SPEAKERS else None


def interval(draws: np.ndarray) -> list[float] | None:
    """The 95 % percentile interval of draws `(resamples,)`; `None` where no resample has a value."""
    valid = draws[np.isfinite(draws)]
    return [float(bound) for bound in np.percentile(valid, [2.5, 97.5])] if valid.size else None


def compare(draws_a: np.ndarray, draws_b: np.ndarray) -> dict[str, float | list[float]]:
    """Whether one model is better than another on the same clips, by the same resamples.

    Args:
        draws_a, draws_b: a metric of each model, `(resamples,)`, from equal resamples.

    Returns:
        - `difference`: the mean of `a - b` over the resamples; `ci`: its 95 % interval;
        - `p`: two-sided, twice the smaller share of resamples with `a - b` at or below 0, or at or above it, each share
          counted as `(n + 1) / (resamples + 1)`, so that it is never 0; at most 1.

    Raises:
        ValueError: the draws are not paired, or none of them has a value for both.
    """
    if draws_a.shape != draws_b.shape:
        raise ValueError(f"Paired draws are equally many, got {draws_a.shape} and {draws_b.shape}.")
    difference = draws_a - draws_b
    difference = difference[np.isfinite(difference)]
    if not difference.size:
        raise ValueError("No resample has a value for both models: there is nothing to compare.")
    smaller = min((difference <= 0).sum(), (difference >= 0).sum())
    return {
        "difference": float(difference.mean()),
        "ci": interval(difference),
        "p": min(1.0, float(2 * (smaller + 1) / (difference.size + 1))),
    }
