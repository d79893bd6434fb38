"""Checkpoints and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from accelerate import PartialState

from common.files import check_writable, write_json
from common.outputs import check_outputs, record_outputs
from preprocessing.augmentation.conditions import parse_conditions

from .checkpoint import CHECKPOINT_FILES, evaluate_repetition
from .other_systems import evaluate_other_system, read_other_system
from .plan import check_conditions
from .repetitions import Repetition, check_together, plan_repetitions
from .reporting.console import format_report
from .reporting.metrics_json import Evaluation
from .reporting.summary import OWNER, REPORT_FILES, row_metrics, summarize, write_report


def evaluate_checkpoints(
    checkpoints: Sequence[str],
    data: Path,
    output: Path,
    *,
    protocol: str | None = None,
    split: str = "test",
    baseline: bool = False,
    predictions: Sequence[str] = (),
    reference: str | None = None,
    conditions: Sequence[str] = (),
    overwrite: bool = False,
    batch_size: int = 8,
) -> Path | None:
    """Evaluates checkpoints, prints their tables, and writes one report on all of them.

    Args:
        checkpoints: folders or Hub ids; or folders of several seeds or folds of one model, which are one row.
        data, protocol, split, baseline: as in [`~evaluation.plan.plan_evaluation`], for each of them.
        output: folder of the report. The files of a single checkpoint are written to it, too, those of several to a
            folder of each in it; `metrics.json` of several seeds or folds also to the folder above theirs.
        predictions: `NAME=FILE` of other systems, as of [`~evaluation.other_systems.read_other_system`], on the clips
            of the checkpoints.
        reference: the checkpoint, row or system that the others are compared with; by default the first.
        conditions: conditions to evaluate under in addition to the clips as recorded, as
            [`~preprocessing.augmentation.conditions.parse_conditions`] reads them.
        overwrite: whether files that no evaluation has written may be replaced.
        batch_size: clips per batch and process.

    Returns:
        The path of the report; `None` in all processes but the first.

    Raises:
        ValueError: a checkpoint, the data or the output is not valid; almost always before a clip is processed.
        OSError: a file cannot be read or written.
    """
    parsed = parse_conditions(conditions)
    rows = [plan_repetitions(name, data, protocol, split=split, baseline=baseline) for name in checkpoints]
    repetitions = [each for row in rows for each in row]
    check_writable(output)
    task = repetitions[0].plans[0].main_task if repetitions else None
    where = _protocol_of_others(repetitions, protocol) if predictions else ""
    others = [read_other_system(given, data, where, split, task) for given in predictions]
    check_together(repetitions, reference, [other.name for other in others])
    check_conditions(parsed, [plan for each in repetitions for plan in each.plans])
    outputs = _output_folders(repetitions, output)
    folders = _folders_of_rows(rows, outputs)
    _check_outputs(output, outputs, folders, overwrite)
    evaluations = []
    for each in repetitions:
        evaluation = evaluate_repetition(each, outputs[each.name], parsed, per_device_eval_batch_size=batch_size)
        if evaluation:
            print(f"{format_report(evaluation.report)}\n")
            evaluations.append(evaluation)
    if not PartialState().is_main_process:
        return None
    for other in others:
        evaluations.append(evaluate_other_system(other))
        print(f"{format_report(evaluations[-1].report)}\n")
    _write_reports(evaluations, reference, output, folders)
    return output / "report.md"


def _check_outputs(output: Path, outputs: Mapping[str, Path], folders: Mapping[Path, str], overwrite: bool) -> None:
    """Refuses to replace what no evaluation has written."""
    written = [(output, REPORT_FILES), *((folder, CHECKPOINT_FILES) for folder in outputs.values())]
    for folder, names in [*written, *((folder, ("metrics.json",)) for folder in folders)]:
        check_outputs(folder, names, OWNER, overwrite)


def _write_reports(
    evaluations: Sequence[Evaluation], reference: str | None, output: Path, folders: Mapping[Path, str]
) -> None:
    """Writes the report on all, and the `metrics.json` of each row of several seeds or folds."""
    summary = summarize(evaluations, reference)
    write_report(summary, output)
    for folder, model in folders.items():
        record_outputs(folder, ("metrics.json",), OWNER)
        write_json(folder / "metrics.json", row_metrics(summary, model))


def _protocol_of_others(repetitions: Sequence[Repetition], protocol: str | None) -> str:
    """The protocol on whose clips other systems are evaluated: that of all checkpoints."""
    found = [protocol] if protocol else list(dict.fromkeys(each.protocol for each in repetitions))
    if len(found) != 1:
        shown = f"; the checkpoints have {', '.join(found)}" if found else ""
        raise ValueError(f"--predictions needs --protocol, whose clips are evaluated{shown}.")
    return found[0]


def _output_folders(repetitions: Sequence[Repetition], output: Path) -> dict[str, Path]:
    """Name of each -> a folder for its files, named as the checkpoints are; `output` for a single one."""
    if not repetitions:
        return {}
    if len(repetitions) == 1 and not repetitions[0].is_one_of_several:
        return {repetitions[0].name: output}
    models = [Path(each.model).resolve() for each in repetitions]
    one = len({*models}) == 1 and repetitions[0].is_one_of_several
    above = str(models[0]) if one else os.path.commonpath([folder.parent for folder in models])
    return {each.name: output / Path(each.name).resolve().relative_to(above) for each in repetitions}


def _folders_of_rows(rows: Sequence[Sequence[Repetition]], outputs: Mapping[str, Path]) -> dict[Path, str]:
    """Output folder of each row of several seeds or folds -> its name."""
    return {outputs[row[0].name].parent: row[0].model for row in rows if row[0].is_one_of_several}
