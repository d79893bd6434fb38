"""Simple classifiers as rows of the report, in the same folds: a linear probe of a frozen encoder, or eGeMAPS + SVM.

python -m evaluation.probe openai/whisper-base --layers 3 --data prepared --protocol folds:5 --output probe.csv
python -m evaluation.probe egemaps --data prepared --protocol folds:5 --output egemaps.csv
python evaluate.py runs/folds --predictions probe=probe.csv egemaps=egemaps.csv --data prepared --output runs/report

The probe is a logistic regression on the encoder's outputs. `egemaps` is a support vector machine (RBF kernel) on the
88 functionals of eGeMAPSv02 by openSMILE (pip install opensmile), whose license (audEERING) allows non-commercial use
and research only. C is fixed in both, not tuned.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import FlagParser, positive, run_command

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset
    from sklearn.pipeline import Pipeline

EGEMAPS = "egemaps"  # in place of an encoder


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        print(_probe(args))
    except (OSError, ValueError, ModuleNotFoundError) as error:
        sys.exit(f"evaluation.probe: {error}")


def _probe(args: argparse.Namespace) -> str:
    from common.files import check_writable
    from common.outputs import check_new
    from preprocessing.prepared.load import load_tested
    from preprocessing.prepared.table import load_report, load_table

    from .classify import fold_predictions, write_probe
    from .egemaps import LICENSE, check_opensmile

    is_egemaps = args.encoder == EGEMAPS
    if is_egemaps:
        check_opensmile()
        print(f"{LICENSE}.", file=sys.stderr)
    check_new([args.output], args.overwrite)
    check_writable(args.output.parent)
    load_tested(args.data, args.protocol)  # refuses another protocol before clips are processed
    clips = load_table(args.data)
    max_duration_s = load_report(args.data)["settings"]["max_duration_s"]
    features, classifier = (_egemaps if is_egemaps else _encoder)(args, clips, max_duration_s)
    predictions = fold_predictions(args.data, args.protocol, clips, features, classifier, args.column)
    write_probe(predictions, args.output)
    return (
        f"{args.output} has predictions for {len(predictions):,} clips. To evaluate them, run: python evaluate.py "
        f"--predictions {EGEMAPS if is_egemaps else 'probe'}={args.output} --data {args.data} --protocol "
        f"{args.protocol} --output …"
    )


def _encoder(args: argparse.Namespace, clips: Dataset, max_duration_s: float) -> tuple[np.ndarray, Pipeline]:
    """The features of a frozen encoder, and an unfitted classifier of them."""
    from .classify import PROBE_C, linear_probe
    from .features import encoder_features, load_encoder

    model = load_encoder(args.encoder, args.layers, max_duration_s)
    return encoder_features(model, clips, args.layers), linear_probe(PROBE_C if args.c is None else args.c)


def _egemaps(args: argparse.Namespace, clips: Dataset, max_duration_s: float) -> tuple[np.ndarray, Pipeline]:
    """The features of eGeMAPS, and an unfitted classifier of them."""
    from ..metrics.baseline import SVM_C, support_vector_machine
    from .egemaps import egemaps_features

    return egemaps_features(clips, max_duration_s), support_vector_machine(SVM_C if args.c is None else args.c)


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        prog="python -m evaluation.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("encoder", help=f"Hub id or folder of a pre-trained encoder, or {EGEMAPS}: features without an encoder")
    add("--layers", nargs="+", type=int, metavar="N", help="of the encoder, whose outputs are features; 0: its input")
    add("--data", type=Path, required=True, metavar="DIR", help="prepared folder")
    add("--protocol", required=True, help="which clips are tested, such as folds:5")
    add("--output", type=Path, required=True, metavar="FILE", help="CSV file")
    add("--column", default="emotion", help="the labels to predict")
    add("--c", type=positive(float), help="inverse strength of the regularization; by default 0.01, of the SVM 10")
    add("--overwrite", action="store_true", help="replace FILE")
    args = parser.parse_args()
    if (args.encoder == EGEMAPS) == (args.layers is not None):
        parser.error(f"--layers is required for an encoder, and has no meaning for {EGEMAPS}.")
    return args


if __name__ == "__main__":
    run_command("evaluation.probe", main)
