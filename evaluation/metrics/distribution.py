"""How far a predicted distribution over labels is from that of the annotators' votes."""

from __future__ import annotations

from typing import Any

import datasets
import numpy as np
from scipy.spatial.distance import jensenshannon

from modeling import Task
from preprocessing.prepared.task_values import target_labels, target_values
from preprocessing.votes import has_votes, read_shares, vote_columns

from .bootstrap import count_speakers, resample, resampled_sums
from .labeled_clips import Part
from .means import intervals as intervals_of

NAME = "jensen_shannon"


def measure_distribution(
    clips: datasets.Dataset, logits: np.ndarray, task: Task, *, intervals: bool = True
) -> dict[str, Any]:
    """The mean Jensen-Shannon distance between predicted and annotated distribution, over the clips with votes.

    The distance is the root of the divergence to base 2 (Endres and Schindelin 2003): 0 where the two are equal, 1
    where they share no label. A label with votes that the head does not have is predicted with probability 0.

    Args:
        clips: the clips, with the columns of the task and of its votes, `corpus` and `speaker`.
        logits: `(clips, num_outputs)`.
        task: what the head predicts, with soft labels.
        intervals: whether to add 95 % bootstrap intervals over speakers and clips.

    Returns:
        `pooled`: over all clips with votes, and `corpora`: corpus to a row; each with `jensen_shannon`, its interval as
        `jensen_shannon_ci` (`None`, and a `ci_reason`, where there are too few), and `clips`. `clips_without_votes`:
        clips with a label alone, which only the other metrics count; `clips_without_majority`: clips that these leave
        out, because several labels have the most votes, none of which is the label of the clip.
    """
    values = target_values(task, clips)
    voted = has_votes(task.column, values)
    labeled = np.array([label is not None for label in target_labels(task, clips)], dtype=bool)
    result: dict[str, Any] = {
        "pooled": None,
        "corpora": {},
        "clips_without_votes": int((labeled & ~voted).sum()),
        "clips_without_majority": int((voted & ~labeled).sum()),
    }
    if voted.any():
        distance = _distance(task, logits, values)[voted]  # others have no annotated distribution
        corpus, speaker = (np.array(clips[name][:], dtype=object)[voted] for name in ("corpus", "speaker"))
        result |= _rows(distance, corpus, speaker, intervals)
    return result


def _distance(task: Task, logits: np.ndarray, values: Any) -> np.ndarray:
    """The distance of each clip, `(clips,)`."""
    labels = [*task.labels, *(label for label in vote_columns(task.column, values) if label not in task.labels)]
    predicted = np.zeros((len(logits), len(labels)))
    predicted[:, : len(task.labels)] = task.decode(np.asarray(logits))
    annotated = read_shares(task.column, values, labels)
    with np.errstate(invalid="ignore"):  # rounding may bring that of equal distributions below 0, whose root is NaN
        return np.nan_to_num(jensenshannon(predicted, annotated, base=2, axis=1))


def _rows(distance: np.ndarray, corpus: np.ndarray, speaker: np.ndarray, intervals: bool) -> dict[str, Any]:
    parts: dict[Part, np.ndarray] = {("pooled",): np.ones(distance.size, dtype=bool)}
    parts |= {("corpora", name): corpus == name for name in dict.fromkeys(corpus)}
    rows: dict[Part, dict[str, Any]] = {
        part: {NAME: float(distance[mine].mean()), "clips": int(mine.sum())} for part, mine in parts.items()
    }
    if intervals:
        features = np.stack([distance, np.ones_like(distance)], axis=1)
        sums = resampled_sums(features, parts, resample(corpus, speaker))
        for part, mine in parts.items():
            with np.errstate(invalid="ignore"):
                means = sums[part][:, 0] / sums[part][:, 1]
            rows[part] |= intervals_of(rows[part], {NAME: means}, count_speakers(corpus[mine], speaker[mine]))
    return {"pooled": rows.pop(("pooled",)), "corpora": {part[-1]: row for part, row in rows.items()}}
