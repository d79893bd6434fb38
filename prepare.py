r"""Corpora on disk -> one prepared folder: every clip decoded, labeled, measured and assigned to splits, and a report.

    python prepare.py --list --root /data
    python prepare.py --corpus ravdess=/data/RAVDESS emodb=/data/EMODB --output prepared
    python prepare.py --corpora corpora.yaml --license_use commercial --output prepared
    python prepare.py --corpus folder=/data/calls --locale en-US --license "CC BY 4.0" --output prepared
    python prepare.py --corpus folder=/data/calls folder=/data/film --locale calls=en-US film=de-DE --output prepared
    python prepare.py --corpus table=/data/nemo/data.tsv --columns path=file_id speaker=speaker_id \
        --audio_folder samples --label_map anger=angry happiness=happy --locale pl-PL --output prepared
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.command_line import FlagParser, positive, run_command
from common.quiet import quiet_c_libraries

if TYPE_CHECKING:
    from preprocessing.corpora.scales import Found
    from preprocessing.corpora.scan import Source


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    quiet_c_libraries()
    try:
        print(_list(args.root) if args.list else _prepare(args))
    except (OSError, ValueError) as error:
        sys.exit(f"prepare.py: {error}")


def _list(root: Path | None) -> str:
    from preprocessing.corpora.catalog import find_corpora, format_catalog

    return format_catalog(None if root is None else find_corpora(root))


def _prepare(args: argparse.Namespace) -> str:
    from preprocessing.corpora.scales import rescale
    from preprocessing.labels import load_speaker_genders
    from preprocessing.prepared.build import prepare
    from preprocessing.prepared.report import format_report
    from preprocessing.prepared.rows import PreparationConfig
    from preprocessing.prepared.table1 import write_table1

    genders = load_speaker_genders(args.speaker_genders) if args.speaker_genders else {}
    found, scales = rescale(_scan(args, genders), args.scale)
    report = prepare(
        [entry for _, entries in found for entry in entries],
        args.output,
        PreparationConfig(args.min_duration_s, args.max_duration_s),
        seed=args.seed,
        num_proc=args.num_proc,
        overwrite=args.overwrite,
        skip_duplicates=args.skip_duplicates,
        emobox=args.emobox,
        settings=_settings(args, found, genders, scales),
    )
    done = f"Prepared {args.output}: report.json lists every file, table1.txt has the paper's Table 1."
    return "\n\n".join((format_report(report), write_table1(report, args.output), done))


def _scan(args: argparse.Namespace, genders: Mapping[str, Mapping[str, str]]) -> Found:
    """The clips of every corpus."""
    from preprocessing.corpora.scan import scan_sources
    from preprocessing.corpora.user_audio import UserAudio

    user_audio = UserAudio(columns=dict(args.columns), gender_map=dict(args.gender_map), audio_folder=args.audio_folder)
    return scan_sources(_sources(args), args.label_rules, dict(args.label_map), user_audio, genders)


def _sources(args: argparse.Namespace) -> list[Source]:
    """The corpora to read, less those whose license does not allow the intended use."""
    from preprocessing.corpora.catalog import allowed, describe_left_out, read_sources
    from preprocessing.corpora.own_arguments import describe_sources
    from preprocessing.corpora.scan import Source

    sources = [Source.parse(text) for text in args.corpus]
    if args.corpora:
        sources += read_sources(args.corpora)
    sources = describe_sources(sources, {name: getattr(args, name) for name in ("locale", "style", "license")})
    if args.license_use:
        sources, left_out = allowed(sources, args.license_use)
        for source in left_out:
            print(describe_left_out(source, args.license_use))
    if not sources:
        raise ValueError("There are no corpora to prepare.")
    return sources


def _settings(
    args: argparse.Namespace, found: Found, genders: Mapping[str, Mapping[str, str]], scales: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings that report.json records, in addition to those of the build."""
    from preprocessing.corpora.catalog import licenses_of
    from preprocessing.corpora.scales import COMMON
    from preprocessing.labels import load_label_rules

    return {
        "label_rules": args.label_rules,
        "emotion_of_label": dict(load_label_rules(args.label_rules)),
        "label_map": dict(args.label_map),
        "speaker_genders": genders,
        "license_use": args.license_use,
        "licenses": licenses_of(found),
        "scales": scales,
        "common_scale": COMMON,
    }


def _parse_args() -> argparse.Namespace:
    from preprocessing.corpora.own_arguments import add_own_arguments

    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus",
        nargs="+",
        default=[],
        metavar="NAME=FOLDER",
        help="corpora; `folder` and `table` are for your own audio",
    )
    parser.add_argument("--corpora", type=Path, metavar="FILE", help="YAML file of NAME: FOLDER")
    parser.add_argument("--output", type=Path, metavar="DIR", help="the prepared folder")
    parser.add_argument("--overwrite", action="store_true", help="replace other files in DIR")
    parser.add_argument("--list", action="store_true", help="list the known corpora, and exit")
    parser.add_argument("--root", type=Path, metavar="DIR", help="with --list: which of them the folders in DIR hold")
    parser.add_argument(
        "--license_use",
        choices=("commercial", "redistributable"),
        help="leave out corpora whose license does not allow this use",
    )
    parser.add_argument("--label_rules", default="paper", metavar="paper|strict|FILE", help="emotions of labels")
    parser.add_argument(
        "--min_duration_s", type=positive(float, or_zero=True), default=0.5, help="shorter clips are skipped"
    )
    parser.add_argument(
        "--max_duration_s", type=positive(float), default=6.0, help="the part of a clip that the model processes"
    )
    parser.add_argument("--skip_duplicates", action="store_true", help="skip clips with the same sound as another clip")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random splits")
    parser.add_argument("--emobox", type=Path, metavar="DIR", help="EmoBox's data/, whose folds become a protocol")
    parser.add_argument("--num_proc", type=positive(int), help="worker processes; all cores by default")
    parser.add_argument("--speaker_genders", type=Path, metavar="FILE", help="YAML file of CORPUS: {SPEAKER: GENDER}")
    add_own_arguments(parser)
    args: argparse.Namespace = parser.parse_args()
    if not args.list and not (args.output and (args.corpus or args.corpora)):
        parser.error("give --corpus or --corpora, and --output; or --list")
    return args


if __name__ == "__main__":
    run_command("prepare.py", main, " The same command resumes it.")
