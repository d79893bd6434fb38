"""Checkpoint -> ONNX files with the complete model, from the waveform to every head, each compared with PyTorch.

python -m inference.onnx runs/demo --output onnx/demo
python -m inference.onnx runs/demo --output onnx/demo --precision float32 int8 float16 --check recordings
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from common.command_line import FlagParser, run_command
from common.text_tables import format_table


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from common.checkpoint_name import check_checkpoint
        from common.outputs import check_empty
        from common.quiet import quiet_c_libraries

        check_checkpoint(args.checkpoint)
        check_empty(args.output, args.overwrite)
        quiet_c_libraries()
        from .export import export_folder

        parity = export_folder(
            args.checkpoint, args.output, precisions=args.precision, check=args.check, overwrite=args.overwrite
        )
    except (OSError, ValueError) as error:
        sys.exit(f"inference.onnx: {error}")
    print(format_parity(parity))
    print(args.output)


def format_parity(parity: dict[str, Any]) -> str:
    """The comparison with PyTorch for people: a table per set of clips, a column per precision."""
    lines = []
    for source, title in (("synthetic", "synthetic clips"), ("recordings", "recordings")):
        if source not in parity:
            continue
        compared = parity[source]
        lines += [
            f"{compared['clips']:,} {title}, {parity['threads']} thread(s)",
            _table(compared, parity["megabytes"]),
        ]
        if compared.get("unreadable"):
            lines.append(f"{len(compared['unreadable']):,} others could not be read: {compared['unreadable'][0]}")
        lines.append("")
    if "int8" in parity:
        lines += [*_format_exact(**parity["int8"]), ""]
    lines.append(
        "Per head: the largest difference from PyTorch, before softmax or in standard deviations of the target,"
    )
    lines.append("and the share of clips with the same likeliest class.")
    return "\n".join(lines)


def _format_exact(bound: float, groups: dict[str, float], exact: list[str], change: float) -> list[str]:
    """What stays in float32 in int8, with what each group of products would change alone."""
    heading = (
        f"int8: {len(exact)} of {len(groups)} groups of products stay in float32; the others change the outputs by "
        f"{change:.1%} of their spread over clips ({bound:.0%} are allowed)."
    )
    return [heading, *(f"  {group}: {groups[group]:.1%} alone" for group in exact)]


def _table(compared: dict[str, Any], megabytes: dict[str, float]) -> str:
    found = compared["precisions"]
    rows = [["MB", *(str(megabytes.get(name, "")) for name in found)]]
    for size in found["torch"]["clips_per_second"]:
        rows.append([f"clips/s by {size}", *(f"{of['clips_per_second'][size]:.1f}" for of in found.values())])
    for head in found["float32"]["max_difference"]:
        rows.append([head, "", *(_differs(of, head) for name, of in found.items() if name != "torch")])
    return format_table(rows, ["", *found], "l" * (len(found) + 1))


def _differs(of: dict[str, Any], head: str) -> str:
    same = f"  {of['same_class'][head]:.2%}" if head in of["same_class"] else ""
    return f"{of['max_difference'][head]:.1e}{same}"


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        "python -m inference.onnx", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", help="folder or Hub id of a checkpoint")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder to write to, empty or new")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("float32", "int8", "float16"),
        default=["float32"],
        help="precisions to write; float32 is always written, and the others are made from it",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the files of an export in DIR")
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="compare also on the recordings in FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    run_command("inference.onnx", main)
