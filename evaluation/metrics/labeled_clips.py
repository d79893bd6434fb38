"""The clips that have a label for a head, with its predictions: encoded once for all metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from modeling import Task
from modeling.tasks_ser import IGNORE_INDEX

from .bootstrap import Resamples, count_speakers, resampled_sums
from .scores import (
    classification_features,
    classification_scores,
    regression_features,
    regression_scores,
    single_scores,
)
from .subgroups import GROUPINGS, group_clips

COLUMNS = ("corpus", "locale", "speaker", *GROUPINGS.values())
Part = tuple[str, ...]  # pooled; corpora, NAME; locales, LOCALE, CORPUS; groups, GROUPING, NAME


@dataclass(frozen=True)
class LabeledClips:
    """The clips that have a label for a task, and what its head predicts.

    Args:
        task: what the head predicts.
        labels: names of the classes: the head's, then those that only the clips have.
        targets, predicted: `(clips,)`; indices of `labels`, of a regression numbers in its unit.
        logits: `(clips, num_outputs)`.
        columns: of [`COLUMNS`], name to `(clips,)`.
    """

    task: Task
    labels: tuple[str, ...]
    targets: np.ndarray
    predicted: np.ndarray
    logits: np.ndarray
    columns: Mapping[str, np.ndarray]

    @property
    def head_targets(self) -> np.ndarray:
        """Indices of the labels of the head, [`IGNORE_INDEX`] where it does not have a clip's label."""
        return np.where(self.targets < len(self.task.labels), self.targets, IGNORE_INDEX)

    def measure(self, parts: Mapping[Part, np.ndarray]) -> dict[Part, dict[str, Any]]:
        """The metrics of each part of the clips, with the number of its clips and of their known speakers."""
        features = self._features()
        return {
            part: {
                **single_scores(self._scores(features[mine].sum(axis=0, keepdims=True))),
                "clips": int(mine.sum()),
                "speakers": _count_known_speakers(self.columns["corpus"][mine], self.columns["speaker"][mine]),
            }
            for part, mine in parts.items()
        }

    def measure_resamples(
        self, parts: Mapping[Part, np.ndarray], resamples: Resamples
    ) -> dict[Part, dict[str, np.ndarray]]:
        """Each metric of each part in every resample, `(num_resamples,)`."""
        sums = resampled_sums(self._features(), parts, resamples)
        return {part: self._scores(values) for part, values in sums.items()}

    def _features(self) -> np.ndarray:
        if self.task.is_classification:
            return classification_features(self.targets, self.predicted, len(self.labels))
        return regression_features(self.targets, self.predicted)

    def _scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return classification_scores(sums) if self.task.is_classification else regression_scores(sums)


def select_labeled(
    values: np.ndarray, logits: np.ndarray, task: Task, columns: Mapping[str, np.ndarray]
) -> LabeledClips:
    """The clips that have a label for a task.

    Args:
        values: the labels of all clips, `(clips,)`; `None` where missing.
        logits: `(clips, num_outputs)`.
        task: what the head predicts.
        columns: of [`COLUMNS`], name to `(clips,)`.
    """
    labeled = is_labeled(values)
    decoded = task.decode(torch.as_tensor(logits)).numpy()[labeled]
    columns = {name: column[labeled] for name, column in columns.items()}
    if not task.is_classification:
        targets, predicted = values[labeled].astype(float), decoded.astype(float)
        return LabeledClips(task, (), targets, predicted, np.asarray(logits)[labeled], columns)
    names = [str(value) for value in values[labeled]]
    labels = (*task.labels, *sorted({*names} - {*task.labels}))
    index = {label: i for i, label in enumerate(labels)}
    targets = np.array([index[name] for name in names], dtype=int)
    return LabeledClips(task, labels, targets, decoded.argmax(-1), np.asarray(logits)[labeled], columns)


def is_labeled(values: np.ndarray) -> np.ndarray:
    """Which clips have a label, boolean `(clips,)`."""
    return np.array([value is not None for value in values], dtype=bool)


def divide(columns: Mapping[str, np.ndarray], groups: bool) -> dict[Part, np.ndarray]:
    """The parts of the clips that metrics are computed over, and which clips belong to each, boolean `(clips,)`.

    Args:
        columns: of [`COLUMNS`], name to `(clips,)`.
        groups: whether to divide them by gender, duration and style, too.
    """
    corpus, locale = columns["corpus"], columns["locale"]
    parts: dict[Part, np.ndarray] = {("pooled",): np.ones(corpus.size, dtype=bool)}
    parts |= {("corpora", name): corpus == name for name in dict.fromkeys(corpus)}
    for place in {*locale} - {None}:
        for member in dict.fromkeys(corpus[locale == place]):
            parts["locales", place, member] = (locale == place) & (corpus == member)
    if groups:
        for grouping, members in group_clips(columns).items():
            parts |= {("groups", grouping, name): mine for name, mine in members.items()}
    return parts


def _count_known_speakers(corpus: np.ndarray, speaker: np.ndarray) -> int | None:
    known = np.array([name is not None for name in speaker], dtype=bool)
    return count_speakers(corpus[known], speaker[known]) or None
