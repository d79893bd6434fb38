"""Corpora on disk -> one prepared folder: every clip decoded, labelled, measured and divided, and a report.

    python prepare.py --list --root /data
    python prepare.py --corpus ravdess=/data/RAVDESS emodb=/data/EMODB --output prepared
    python prepare.py --corpora corpora.yaml --licence commercial --output prepared
    python prepare.py --corpus folder=/data/calls --locale en-US --output prepared
    python prepare.py --corpus table=/data/nemo/data.tsv --columns path=file_id speaker=speaker_id \
        --audio_folder samples --label_names anger=angry happiness=happy --locale pl-PL --output prepared
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preprocessing.console import pair, print_any_text


def main() -> None:
    """Runs the command line."""
    print_any_text()
    args = _parse_args()
    try:
        print(_list(args.root) if args.list else _prepare(args))
    except (OSError, ValueError) as error:
        sys.exit(f"prepare.py: {error}")


def _list(root: Path | None) -> str:
    from preprocessing.catalogue import find_corpora, format_catalogue

    return format_catalogue(None if root is None else find_corpora(root))


def _prepare(args: argparse.Namespace) -> str:
    from preprocessing.catalogue import allowed, describe_left_out, licences, read_sources
    from preprocessing.dataset import Preparation, prepare
    from preprocessing.labels import load_label_rules, load_speaker_genders
    from preprocessing.report import format_report
    from preprocessing.scan import Source, scan
    from preprocessing.table1 import write_table1
    from preprocessing.user_audio import UserAudio

    sources = [Source.parse(text) for text in args.corpus]
    if args.corpora:
        sources += read_sources(args.corpora)
    if args.licence:
        sources, left_out = allowed(sources, args.licence)
        for source in left_out:
            print(describe_left_out(source, args.licence))
    if not sources:
        raise ValueError("no corpus is left to prepare.")
    user_audio = UserAudio(args.locale, args.style, dict(args.columns), dict(args.gender_names), args.audio_folder)
    genders = load_speaker_genders(args.speaker_genders) if args.speaker_genders else {}
    entries = scan(sources, args.labels, dict(args.label_names), user_audio, genders)
    report = prepare(
        entries,
        args.output,
        Preparation(args.min_duration_s, args.max_duration_s),
        seed=args.seed,
        num_proc=args.num_proc,
        drop_copies=args.drop_copies,
        settings={
            "labels": args.labels,
            "label_rules": dict(load_label_rules(args.labels)),
            "label_names": dict(args.label_names),
            "speaker_genders": genders,
            "licence": args.licence,
            "licences": licences(dict.fromkeys(entry.id.split("/", 1)[0] for entry in entries)),
        },
    )
    done = f"Prepared {args.output}; its report.json has every file and its reason, table1.txt the paper's Table 1."
    return "\n\n".join((format_report(report), write_table1(report, args.output), done))


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus", nargs="+", default=[], metavar="NAME=FOLDER", help="`folder` and `table` are your own audio"
    )
    parser.add_argument("--corpora", type=Path, metavar="FILE", help="YAML file of NAME: FOLDER")
    parser.add_argument("--output", type=Path, metavar="DIR", help="the prepared folder")
    parser.add_argument("--list", action="store_true", help="list the corpora that are known, and stop")
    parser.add_argument("--root", type=Path, metavar="DIR", help="with --list: what the folders in DIR hold of them")
    parser.add_argument(
        "--licence", choices=("commercial", "redistributable"), help="leave out corpora whose licence does not allow it"
    )
    parser.add_argument("--labels", default="paper", metavar="paper|strict|FILE", help="which labels count as which")
    parser.add_argument("--min_duration_s", type=float, default=0.5, help="shorter clips are dropped")
    parser.add_argument("--max_duration_s", type=float, default=6.0, help="what the model hears of a clip")
    parser.add_argument("--drop_copies", action="store_true", help="skip clips that are the sound of another clip")
    parser.add_argument("--seed", type=int, default=0, help="of the splits")
    parser.add_argument("--num_proc", type=int, help="worker processes; all cores by default")
    parser.add_argument(
        "--speaker_genders", type=Path, metavar="FILE", help="YAML file of CORPUS: {SPEAKER: female|male}"
    )
    own = parser.add_argument_group("your own audio")
    own.add_argument("--locale", help="such as pl-PL")
    own.add_argument("--style", choices=("acted", "natural"))
    own.add_argument("--columns", nargs="+", type=pair, default=[], metavar="OURS=YOURS", help="columns of the table")
    own.add_argument(
        "--label_names",
        nargs="+",
        type=pair,
        default=[],
        metavar="LABEL=EMOTION",
        help="EMOTION none drops the clips",
    )
    own.add_argument("--gender_names", nargs="+", type=pair, default=[], metavar="WORD=GENDER")
    own.add_argument("--audio_folder", default="", help="where the table's paths start, from the table's folder")
    args = parser.parse_args()
    if not args.list and not (args.output and (args.corpus or args.corpora)):
        parser.error("give --corpus or --corpora, and --output; or --list")
    return args


if __name__ == "__main__":
    main()
