"""A frozen encoder and a logistic regression -> predictions for the same folds, as a row of the report.

python -m evaluation.probe openai/whisper-base --layers 3 --data prepared --protocol folds:5 --output probe.csv
python evaluate.py runs/folds --predictions probe=probe.csv --data prepared --output runs/report
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.command_line import FlagParser, run_command


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        print(_probe(args))
    except (OSError, ValueError) as error:
        sys.exit(f"evaluation.probe: {error}")


def _probe(args: argparse.Namespace) -> str:
    from common.files import check_writable
    from common.outputs import check_new
    from preprocessing.prepared.load import load_tested
    from preprocessing.prepared.table import load_report, load_table

    from .classify import probe_predictions, write_probe
    from .features import encoder_features, load_encoder

    check_new([args.output], args.overwrite)
    check_writable(args.output.parent)
    load_tested(args.data, args.protocol)  # refuses another protocol before clips are encoded
    clips = load_table(args.data)
    model = load_encoder(args.encoder, args.layers, load_report(args.data)["settings"]["max_duration_s"])
    features = encoder_features(model, clips, args.layers)
    predictions = probe_predictions(args.data, args.protocol, clips, features, args.column, args.c)
    write_probe(predictions, args.output)
    return (
        f"{args.output} has predictions for {len(predictions):,} clips. To evaluate them, run: python evaluate.py "
        f"--predictions probe={args.output} --data {args.data} --protocol {args.protocol} --output …"
    )


def _parse_args() -> argparse.Namespace:
    from .classify import REGULARIZATION

    parser = FlagParser(
        prog="python -m evaluation.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("encoder", help="Hub id or folder of a pre-trained encoder")
    add("--layers", nargs="+", type=int, required=True, metavar="N", help="whose outputs are features; 0: its input")
    add("--data", type=Path, required=True, metavar="DIR", help="prepared folder")
    add("--protocol", required=True, help="which clips are tested, such as folds:5")
    add("--output", type=Path, required=True, metavar="FILE", help="CSV file")
    add("--column", default="emotion", help="the labels to predict")
    add("--c", type=float, default=REGULARIZATION, help="inverse strength of the regularization")
    add("--overwrite", action="store_true", help="replace FILE")
    return parser.parse_args()


if __name__ == "__main__":
    run_command("evaluation.probe", main)
