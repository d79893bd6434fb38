"""A checkpoint, or a folder of several trainings of one model -> what is evaluated: one model for each of its seeds."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.training_clips import training_protocol
from common.trainings import find_trainings
from preprocessing.prepared.computed import COMPUTED
from preprocessing.prepared.split_files import num_folds

from .plan import EvaluationPlan, plan_evaluation
from .reporting.paper import row_name


@dataclass(frozen=True)
class Repetition:
    """A training of a model, on one division of the clips or on all folds of one.

    Args:
        name: the checkpoint, or the folder of the checkpoints of all folds.
        model: the folder of all seeds, or else the checkpoint.
        protocol: of all folds together.
        plans: the evaluation of each fold, or the only one.
    """

    name: str
    model: str
    protocol: str
    plans: Sequence[EvaluationPlan]

    @property
    def in_folds(self) -> bool:
        """Whether the predictions of several checkpoints, one for each fold, are pooled."""
        return self.protocol != self.plans[0].protocol

    @property
    def is_one_of_several(self) -> bool:
        """Whether it is a seed of a row, in whose folder it is; its trainings have left their predictions there."""
        return self.name != self.model


def plan_repetitions(
    name: str, data: Path, protocol: str | None = None, *, split: str = "test", baseline: bool = False
) -> list[Repetition]:
    """Checks what can be wrong before a clip is processed.

    Args:
        name: a checkpoint, or a folder of several trainings, as `train.py --seeds` or a protocol of folds leaves it.
        data, protocol, split, baseline: as of [`~evaluation.plan.plan_evaluation`].

    Raises:
        ValueError: as there; or folds are missing, or are to be evaluated on something else than their test clips.
    """
    trainings = find_trainings(name)
    if not trainings:
        plan = plan_evaluation(name, data, protocol, split=split, baseline=baseline)
        return [Repetition(name, name, plan.protocol, [plan])]
    repetitions = []
    for seed, members in trainings.items():
        paths = [str(Path(name, member.name)) for member in members]
        if members[0].fold is None:
            plan = plan_evaluation(paths[0], data, protocol, split=split, baseline=baseline)
            repetitions.append(Repetition(paths[0], name, plan.protocol, [plan]))
            continue
        family = training_protocol(paths[0]).partition("/")[0]
        if protocol not in (None, family) or split != "test" or baseline:
            raise ValueError(
                f"{name} was trained on the folds of {family}, and can only be evaluated on their test clips: remove "
                "--protocol, --split and --baseline."
            )
        _check_complete(f"{name}/seed-{seed}", [member.fold for member in members], num_folds(data, family))
        plans = [
            plan_evaluation(path, data, f"{family}/{member.fold}") for path, member in zip(paths, members, strict=True)
        ]
        repetitions.append(Repetition(str(Path(name, f"seed-{seed}")), name, family, plans))
    return repetitions


def _check_complete(name: str, folds: Sequence[int | None], count: int | None) -> None:
    missing = sorted({*range(1, (count or 0) + 1)} - {*folds})
    if missing:
        raise ValueError(
            f"{name} has no finished training of fold {', '.join(map(str, missing))} of {count}: run the same train.py "
            "command again, which trains what is missing."
        )


def check_together(repetitions: Sequence[Repetition], reference: str | None = None, others: Sequence[str] = ()) -> None:
    """Refuses what one report cannot hold, before a clip is processed.

    Args:
        repetitions: what is evaluated.
        reference: what the others are compared with.
        others: names of predictions of other systems.

    Raises:
        ValueError: the main tasks differ, or a checkpoint, or a corpus of a family of protocols, is given twice;
            or `reference` is not one of them.
    """
    known = list(dict.fromkeys([*(name for each in repetitions for name in (each.model, each.name)), *others]))
    if reference is not None and reference not in known:
        raise ValueError(f"--reference {reference} is not one of {', '.join(known)}.")
    names = dict.fromkeys(each.plans[0].main_task.name for each in repetitions)
    if len(names) > 1:
        raise ValueError(f"The checkpoints have different main tasks ({', '.join(names)}): evaluate them separately.")
    for place, count in Counter(os.path.realpath(each.name) for each in repetitions).items():
        if count > 1:
            raise ValueError(f"{place} is given {count} times: give it once.")
    _check_corpora(repetitions)


def _check_corpora(repetitions: Sequence[Repetition]) -> None:
    """Refuses two models for one corpus of a family, such as `loco:ravdess`, whose members are joined by their row."""
    models: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in repetitions:
        family, colon, _ = each.protocol.partition(":")
        if colon and family not in COMPUTED:
            repeats = each.name if family == "cross" else each.model
            models[row_name(each.plans[0].config), each.protocol].append(repeats)
    for (row, protocol), found in models.items():
        if len({*found}) > 1:
            raise ValueError(f"{len({*found})} checkpoints are {row} under {protocol}: give one.")
