"""A film and its dub -> the lines that are spoken differently, the worst first.

python -m inference.dubbing film.en.wav film.de.wav --model runs/demo
python -m inference.dubbing film.mkv dub.m4a --model runs/demo --output findings.csv --worst 30

The exit status is 0 if emotion, pitch and energy were compared, whatever was found; 3 if one of them could not be
compared, which is printed with the reason; 1 if nothing could.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.checkpoint_name import add_model_flag, check_checkpoint
from common.command_line import FlagParser, positive, run_command
from common.text_tables import format_table

from ..engine.precision import add_precision_flag

if TYPE_CHECKING:
    from .compare import DubCheck

INCOMPARABLE = 3  # exit status if emotion, pitch or energy cannot be compared


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from common.outputs import check_new
        from common.quiet import quiet_c_libraries

        from ..batch.find_files import check_files

        check_files([args.source, args.dub])
        check_checkpoint(args.model)
        quiet_c_libraries()
        check_new([args.output] if args.output else [], args.overwrite)
        from ..engine.predictor import load_predictor
        from .compare import Limits, check_dub

        limits = Limits(args.emotion_limit, args.pitch_limit, args.energy_limit)
        check = check_dub(load_predictor(args.model, precision=args.precision), args.source, args.dub, limits)
    except (ValueError, OSError) as error:
        sys.exit(f"inference.dubbing: {error}")
    print(format_check(check, args.worst))
    if args.output:
        WRITERS[args.output.suffix](check, args.output)
        print(f"All {len(check.rows):,} lines are in {args.output}.")
    if check.incomparable:
        sys.exit(INCOMPARABLE)


def format_check(check: DubCheck, worst: int) -> str:
    """The result for people: alignment, counts, and the worst lines with times in both tracks."""
    alignment, usual = check.alignment, check.usual
    differs, missing, added, fits = (
        check.count(status) for status in ("differs", "missing in the dub", "only in the dub", "fits")
    )
    lines = [
        f"The source begins at {alignment.offset_s:+.3f} s of the dub, which drifts by {alignment.drift:+.4%} "
        f"(confidence {alignment.confidence:.2f}).",
        f"{differs + fits:,} lines are in both tracks: {differs:,} of them differ. "
        f"{missing:,} are missing in the dub, {added:,} are only in the dub.",
        f"Differences are relative to the usual ones of these tracks: emotion {usual['emotion']:.2f}, pitch "
        f"{usual['pitch']:+.1f} semitones, energy {usual['energy']:+.1f} dB.",
    ]
    if check.agreement is not None:
        lines.append(f"The same lines are {check.agreement:.0%} closer in emotion than randomly paired lines.")
    lines += [
        f"{name.capitalize()} cannot be compared reliably here: {why}." for name, why in check.incomparable.items()
    ]
    listed = [row for row in check.rows if row["status"] != "fits"][:worst]
    return "\n".join([*lines, *(["", _table(listed)] if listed else [])])


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            str(rank),
            *(timecode(row[f"{track}_start_s"]) for track in ("source", "dub")),
            row.get("reason", row["status"]),
        )
        for rank, row in enumerate(rows, start=1)
    ]
    return format_table(cells, ("rank", "source", "dub", "reason"), "rlll")


def timecode(seconds: float) -> str:
    """`HH:MM:SS.mmm`; before the beginning with a minus."""
    milliseconds = round(abs(seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{'-' * (seconds < 0)}{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _write_json(check: DubCheck, path: Path) -> None:
    from common.files import write_json

    content = asdict(check)
    write_json(path, {**content, "lines": content.pop("rows")})


def _write_csv(check: DubCheck, path: Path) -> None:
    import pandas as pd

    from common.files import atomic_write

    table = pd.DataFrame(check.rows)
    atomic_write(path, lambda unfinished: table.to_csv(unfinished, index=False))


WRITERS = {".json": _write_json, ".csv": _write_csv}


def _output(text: str) -> Path:
    path = Path(text)
    if path.suffix not in WRITERS:
        raise argparse.ArgumentTypeError(f"{text}: expected a file name that ends in {' or '.join(WRITERS)}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"the folder {path.parent} does not exist")
    return path


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        "python -m inference.dubbing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="audio or video file in the original language")
    parser.add_argument("dub", help="the same film with the same cut in another language")
    add_model_flag(parser)
    add_precision_flag(parser)
    parser.add_argument("--output", type=_output, metavar="FILE", help="every line, as .json or .csv")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --output")
    parser.add_argument(
        "--worst", type=positive(int, or_zero=True), default=10, metavar="N", help="lines to print (default: 10)"
    )
    limits = parser.add_argument_group("smallest differences that are findings")
    limits.add_argument(
        "--emotion_limit", type=float, default=0.3, metavar="D", help="Jensen-Shannon distance, 0 to 1 (default: 0.3)"
    )
    limits.add_argument("--pitch_limit", type=float, default=3.0, metavar="SEMITONES", help="(default: 3)")
    limits.add_argument("--energy_limit", type=float, default=6.0, metavar="DB", help="(default: 6)")
    return parser.parse_args()


if __name__ == "__main__":
    run_command("inference.dubbing", main)
