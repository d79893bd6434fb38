"""Checkpoints + test split -> one report: the paper's tables and figures, metrics.json.

    python evaluate.py runs/demo --data prepared/demo --output runs/demo/evaluation
    python evaluate.py runs/paper/* --data prepared/paper --output runs/paper

This script shares its name with Hugging Face's `evaluate`, and the project's root comes first on the import path of
every script in it. So, imported as `evaluate`, this file steps aside and hands over the library.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

from common.command_line import FlagParser


def _hand_over_the_library() -> None:
    here = Path(__file__).resolve().parent
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != here]
    spec = importlib.machinery.PathFinder.find_spec("evaluate", elsewhere)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("No module named 'evaluate': pip install evaluate", name="evaluate")
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluate"] = module  # what `import evaluate` binds
    spec.loader.exec_module(module)


def main() -> None:
    """Runs the command line."""

    args = _parse_args()
    from evaluation.reporting.metrics_json import format_report
    from evaluation.reporting.summary import check_output_folders, check_together, write_summary
    from evaluation.run import evaluate_checkpoint, plan_evaluation

    folders = [Path(checkpoint).resolve() for checkpoint in args.checkpoint]
    above = os.path.commonpath([folder.parent for folder in folders])
    evaluations = []
    try:
        plans = [
            plan_evaluation(name, args.data, args.protocol, split=args.split, baseline=args.baseline)
            for name in args.checkpoint
        ]
        check_together(plans, args.output, args.reference)
        several = len(plans) > 1
        outputs = [args.output / folder.relative_to(above) if several else args.output for folder in folders]
        check_output_folders(args.output, outputs, args.overwrite)
        for output, plan in zip(outputs, plans, strict=True):
            evaluation = evaluate_checkpoint(plan, output, per_device_eval_batch_size=args.batch_size)
            if evaluation:  # in the first of several processes
                print(f"{format_report(evaluation.report)}\n")
                evaluations.append(evaluation)
        if evaluations:
            write_summary(evaluations, args.output, args.reference)
            print(f"The report is {args.output / 'report.md'}; every figure stands in report.json and metrics.json.")
    except (OSError, ValueError) as error:
        sys.exit(f"evaluate.py: {error}")


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "checkpoint", nargs="+", type=os.path.normpath, help="folders, as train.py writes them, or Hub ids"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="prepared folder")
    parser.add_argument("--protocol", help="which clips are in which split; by default that of each one's training")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="where the report goes; metrics.json of several checkpoints go to a folder of each",
    )
    parser.add_argument(
        "--reference",
        type=os.path.normpath,
        metavar="CHECKPOINT",
        help="the one that all others are compared with; by default the first",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files in DIR that are of no evaluation")
    parser.add_argument("--batch_size", type=int, default=8, help="clips per process")
    parser.add_argument(
        "--baseline", action="store_true", help="compare with a support vector machine on statistics of MFCCs"
    )
    return parser.parse_args()


if __name__ == "evaluate":
    _hand_over_the_library()
elif __name__ == "__main__":
    from common.command_line import run_command

    run_command("evaluate.py", main)
