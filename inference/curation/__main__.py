"""A manifest of recordings -> the rows that meet conditions, and the others with the reasons why they do not.

python -m inference.curation metadata.csv --model runs/demo --output neutral.csv \\
    --keep "emotion == 'neutral'" "emotion_score >= 0.6" "gender == manifest_gender" \\
           "measured_f0_mean_zscore_by_speaker <= 3" "unique_sound_by_speaker"

A condition is a pandas expression without calls. Names are the outputs of the model, measurements, and the columns of
the manifest with manifest_ before:

    emotion == 'neutral'                               the predicted class of a head; also !=
    language in ['en-US', 'en-GB']                     one of several; also: not in
    gender == manifest_gender                          the prediction is the manifest's label; also !=
    emotion_score >= 0.6                               a number; also > < <= == !=
    1 <= duration_s <= 15                              a range
    -0.1 <= duration_s - manifest_duration <= 0.1      close to another number
    measured_f0_mean_zscore_by_speaker <= 3            not an outlier among the rows of the speaker
    measured_f0_mean_zscore <= 3                       not an outlier among all rows
    unique_sound_by_speaker                            only one of the recordings that sound the same
    unique_sound                                       the same, of all speakers
    emotion == 'happy' or emotion_happy >= 0.3         also: and, not, brackets
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.checkpoint_name import add_model_flag, check_checkpoint
from common.command_line import FlagParser, pair, positive, run_command

from ..engine.precision import add_precision_flag


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from common.quiet import quiet_c_libraries

        from ..batch.find_files import check_files

        check_files([str(args.manifest)])
        check_checkpoint(args.model)
        quiet_c_libraries()
        from .filter import FilterOptions, check_outputs, filter_manifest
        from .report import format_report

        check_outputs(args.manifest, args.output, args.overwrite)
        options = FilterOptions(args.path_column, args.speaker_column, args.audio_folder, dict(args.label_map))
        report = filter_manifest(
            args.manifest,
            args.model,
            args.output,
            args.keep,
            options,
            precision=args.precision,
            scores=args.scores,
            num_proc=args.num_proc,
            vad=not args.no_vad,
            overwrite=args.overwrite,
        )
    except (ValueError, OSError) as error:
        sys.exit(f"inference.curation: {error}")
    print(format_report(report))
    if report["unreadable"] == report["rows"]:
        sys.exit(f"inference.curation: the recordings of all {report['rows']:,} rows are unreadable.")


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        "python -m inference.curation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, help="CSV, TSV, JSON lines (NeMo), Parquet, or id|text|normalized")
    add_model_flag(parser)
    add_precision_flag(parser)
    parser.add_argument("--output", required=True, type=Path, metavar="KEPT", help="file for the rows that are kept")
    parser.add_argument(
        "--keep", required=True, nargs="+", metavar="CONDITION", help="conditions; a kept row meets all of them"
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE.jsonl",
        help="cache of predictions and measurements; by default next to KEPT",
    )
    parser.add_argument("--path_column", metavar="NAME", help="the manifest's column of paths")
    parser.add_argument("--speaker_column", metavar="NAME", help="the manifest's column of speakers")
    parser.add_argument("--audio_folder", metavar="DIR", help="where the paths start, from the manifest's folder")
    parser.add_argument(
        "--label_map", nargs="+", default=[], type=pair, metavar="A=B", help="manifest's labels to classes: F=female"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace KEPT and the files next to it")
    parser.add_argument(
        "--no_vad", action="store_true", help="detect no speech, and predict an emotion also where nobody speaks"
    )
    parser.add_argument(
        "--num_proc", type=positive(int), help="processes that measure pitch and energy; all cores by default"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command("inference.curation", main)
