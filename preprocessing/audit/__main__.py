"""Audits a prepared folder for what silently spoils an evaluation: leaks between splits, wrong labels and recordings.

The folder is only read:

    python -m preprocessing.audit prepared --protocol speaker
    python -m preprocessing.audit prepared --protocol loco:ravdess
    python -m preprocessing.audit prepared --protocol paper --output audit.json --fail_on identical_audio same_sound
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.command_line import FlagParser, positive, run_command
from common.files import write_json
from common.outputs import check_new

from .run import KINDS, audit, format_audit


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(
        "python -m preprocessing.audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prepared", type=Path, metavar="PREPARED", help="prepared folder")
    parser.add_argument("--protocol", default="paper", help="protocol of the splits: paper, loco:CORPUS, …")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="file to write the report to")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --output")
    parser.add_argument("--num_proc", type=positive(int), help="worker processes; all cores by default")
    parser.add_argument(
        "--fail_on",
        nargs="+",
        default=[],
        choices=[*KINDS, "any"],
        metavar="KIND",
        help=f"exit with status 1 if one of these is found: {', '.join(KINDS)}, any",
    )
    args = parser.parse_args()
    try:
        check_new([args.output] if args.output else [], args.overwrite)
        report = audit(args.prepared, args.protocol, num_proc=args.num_proc)
    except ValueError as error:
        parser.exit(2, f"preprocessing.audit: {error}\n")
    print(format_audit(report))
    if args.output:
        write_json(args.output, report)
        print(f"\nWritten to {args.output}.")
    unwanted = [kind for kind in report["findings"] if kind in args.fail_on or "any" in args.fail_on]
    if unwanted:
        sys.exit(f"preprocessing.audit: found {', '.join(unwanted)}")


if __name__ == "__main__":
    run_command("preprocessing.audit", main)
