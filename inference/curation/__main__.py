"""A manifest of recordings -> the rows that fit conditions, and the others with the reasons why they do not.

python -m inference.curation metadata.csv --model runs/demo --output neutral.csv \\
    --keep "emotion = neutral" "emotion_score >= 0.6" "gender = manifest.gender" \\
           "measured_f0_mean within 3 mad of speaker" "unique sound of speaker"

A condition is one of:

    emotion = neutral                             a class of a head; also !=
    language in en-US,en-GB                       one of several; also: not in
    gender = manifest.gender                      what the model hears is what the manifest says; also !=
    emotion_score >= 0.6                          a number; also > < <=
    duration_s in 1..15                           from, to
    duration_s within 0.1 of manifest.duration    near another number
    measured_f0_mean within 3 mad of speaker      no outlier among the rows of the speaker; also: of all
    unique sound of speaker                       of those that sound the same, one; also: of all
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.command_line import FlagParser, pair, run_command


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from common.checkpoint_name import check_checkpoint
        from common.quiet import quiet_c_libraries

        from ..batch.find_files import check_files

        check_files([str(args.manifest)])
        check_checkpoint(args.model)
        quiet_c_libraries()
        from .filter import FilterOptions, check_outputs, filter_manifest, format_report

        check_outputs(args.manifest, args.output, args.overwrite)
        options = FilterOptions(args.path_column, args.speaker_column, args.audio_folder, dict(args.words))
        report = filter_manifest(
            args.manifest,
            args.model,
            args.output,
            args.keep,
            options,
            scores=args.scores,
            num_proc=args.num_proc,
            vad=not args.no_vad,
            overwrite=args.overwrite,
        )
    except (ValueError, OSError) as error:
        sys.exit(f"inference.curation: {error}")
    print(format_report(report))
    if report["unreadable"] == report["rows"]:
        sys.exit(f"inference.curation: none of {report['rows']:,} rows has a recording that can be read.")


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        "python -m inference.curation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, help="CSV, TSV, JSON lines (NeMo), Parquet, or id|text|normalized")
    parser.add_argument("--model", required=True, metavar="CHECKPOINT", help="folder or Hub id of a checkpoint")
    parser.add_argument("--output", required=True, type=Path, metavar="KEPT", help="file for the rows that are kept")
    parser.add_argument("--keep", required=True, nargs="+", metavar="CONDITION", help="what a row has to fulfil: all")
    parser.add_argument("--scores", type=Path, metavar="FILE.jsonl", help="what was heard; by default beside KEPT")
    parser.add_argument("--path_column", metavar="NAME", help="the manifest's column of paths")
    parser.add_argument("--speaker_column", metavar="NAME", help="the manifest's column of speakers")
    parser.add_argument("--audio_folder", metavar="DIR", help="where the paths start, from the manifest's folder")
    parser.add_argument(
        "--words",
        nargs="+",
        default=[],
        type=pair,
        metavar="A=B",
        help="the manifest's words for classes: F=female",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace KEPT and what belongs to it, if it is there")
    parser.add_argument("--no_vad", action="store_true", help="take an emotion also from where nobody speaks")
    parser.add_argument("--num_proc", type=int, help="processes that measure pitch and energy; all cores by default")
    return parser.parse_args()


if __name__ == "__main__":
    run_command("inference.curation", main)
