"""Corpora on disk -> one prepared folder: every clip decoded, labelled, measured and divided, and a report.

    python prepare.py --corpus ravdess=/data/RAVDESS emodb=/data/EMODB --output prepared
    python prepare.py --corpus folder=/data/calls --locale en-US --output prepared
    python prepare.py --corpus table=/data/nemo/data.tsv --columns path=file_id speaker=speaker_id \
        --audio_folder samples --label_names anger=angry happiness=happy --locale pl-PL --output prepared
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    from preprocessing.dataset import Preparation, prepare
    from preprocessing.report import format_report
    from preprocessing.scan import Source, scan
    from preprocessing.user_audio import UserAudio

    try:
        user_audio = UserAudio(args.locale, args.style, args.columns, args.gender_names, args.audio_folder)
        entries = scan([Source.parse(text) for text in args.corpus], args.labels, args.label_names, user_audio)
        report = prepare(
            entries,
            args.output,
            Preparation(args.min_duration_s, args.max_duration_s),
            seed=args.seed,
            num_proc=args.num_proc,
            settings={"labels": args.labels, "label_names": args.label_names},
        )
    except ValueError as error:
        sys.exit(f"prepare.py: {error}")
    print(format_report(report))
    print(f"\nPrepared {args.output}; every file and its reason stand in {args.output / 'report.json'}.")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus", nargs="+", required=True, metavar="NAME=FOLDER", help="`folder` and `table` are your own audio"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the prepared folder")
    parser.add_argument("--labels", default="paper", metavar="paper|strict|FILE", help="which labels count as which")
    parser.add_argument("--min_duration_s", type=float, default=0.5, help="shorter clips are dropped")
    parser.add_argument("--max_duration_s", type=float, default=6.0, help="what the model hears of a clip")
    parser.add_argument("--seed", type=int, default=0, help="of the splits")
    parser.add_argument("--num_proc", type=int, help="worker processes; all cores by default")
    own = parser.add_argument_group("your own audio")
    own.add_argument("--locale", help="such as pl-PL")
    own.add_argument("--style", choices=("acted", "natural"))
    own.add_argument("--columns", nargs="+", type=_pair, default=[], metavar="OURS=YOURS", help="columns of the table")
    own.add_argument(
        "--label_names", nargs="+", type=_pair, default=[], metavar="LABEL=EMOTION", help="EMOTION none drops the clips"
    )
    own.add_argument("--gender_names", nargs="+", type=_pair, default=[], metavar="WORD=GENDER")
    own.add_argument("--audio_folder", default="", help="where the table's paths start, from the table's folder")
    args = parser.parse_args()
    for name in ("columns", "label_names", "gender_names"):
        setattr(args, name, dict(getattr(args, name)))
    return args


def _pair(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not (left and separator and right):
        raise argparse.ArgumentTypeError(f"expected A=B, got {text!r}")
    return left, right


if __name__ == "__main__":
    main()
