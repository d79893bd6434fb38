"""Checkpoints + test split -> one report: the paper's tables and figures, metrics.json.

A folder of several seeds or folds, as train.py writes it, is one row of the report.

python evaluate.py runs/demo --data prepared/demo --output runs/demo/evaluation
python evaluate.py runs/paper/* --data prepared/paper --output runs/paper
python evaluate.py runs/folds --predictions emotion2vec=their.csv --data prepared/demo --output runs/compared
python evaluate.py runs/demo --data prepared/demo --output runs/demo/robustness --condition noise:10 telephone mp3:32
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from common.command_line import FlagParser, positive, run_command


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from evaluation.run import evaluate_checkpoints  # takes seconds, and comes after the arguments' checks

        report = evaluate_checkpoints(
            args.checkpoint,
            args.data,
            args.output,
            protocol=args.protocol,
            split=args.split,
            baseline=args.baseline,
            predictions=args.predictions,
            reference=args.reference,
            conditions=args.condition,
            overwrite=args.overwrite,
            batch_size=args.batch_size,
        )
    except (OSError, ValueError) as error:
        sys.exit(f"evaluate.py: {error}")
    if report:  # in the first of several processes
        print(f"The report is {report}; all its figures are in report.json and metrics.json.")


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("checkpoint", nargs="*", type=os.path.normpath, help="folders, as train.py writes them, or Hub ids")
    add("--data", type=Path, required=True, metavar="DIR", help="prepared folder")
    add("--protocol", help="which clips are in which split; by default the protocol of each checkpoint's training")
    add("--split", default="test", choices=("train", "validation", "test"))
    add(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the report; metrics.json of several checkpoints are written to a folder of each",
    )
    add(
        "--reference",
        type=os.path.normpath,
        metavar="CHECKPOINT",
        help="the checkpoint, or name of predictions, that all others are compared with; by default the first",
    )
    add(
        "--predictions",
        nargs="+",
        default=[],
        metavar="NAME=FILE",
        help="CSV files of other systems: id, and label or a column of scores per class",
    )
    add(
        "--condition",
        nargs="+",
        default=[],
        metavar="NAME[:VALUE]",
        help="evaluate the main task under these conditions, too, such as noise:10 babble:10 telephone mp3:32 room "
        "clip gain:-20 speed:1.1 (docs/robustness.md)",
    )
    add("--overwrite", action="store_true", help="replace files in DIR that no evaluation has written")
    add("--batch_size", type=positive(int), default=8, help="clips per batch and process")
    add("--baseline", action="store_true", help="compare with a support vector machine on statistics of MFCCs")
    args = parser.parse_args()
    if not args.checkpoint and not args.predictions:
        parser.error("give a checkpoint, or --predictions")
    return args


if __name__ == "evaluate":  # imported where Hugging Face's library of the same name is meant
    from evaluation.hf_evaluate import import_library

    import_library()
elif __name__ == "__main__":
    run_command("evaluate.py", main)
