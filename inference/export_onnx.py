"""Checkpoint -> ONNX files that hold all of it, from the waveform to every head, each compared with PyTorch.

python -m inference.export_onnx runs/demo --output onnx/demo
python -m inference.export_onnx runs/demo --output onnx/demo --precision float32 int8 float16 --check recordings
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    from inference.onnx_folder import export_folder

    try:
        parity = export_folder(args.checkpoint, args.output, precisions=args.precision, check=args.check)
    except ValueError as error:
        sys.exit(f"export_onnx: {error}")
    print(format_parity(parity))
    print(args.output)


def format_parity(parity: dict[str, Any]) -> str:
    """The comparison with PyTorch for people: per precision its size, differences, agreement and speed."""
    lines = []
    for source, title in (("synthetic", "synthetic clips"), ("recordings", "recordings")):
        if source not in parity:
            continue
        compared = parity[source]
        lines.append(f"{compared['clips']:,} {title}, each alone and in batches of 8, {parity['threads']} thread(s):")
        for name, found in compared["precisions"].items():
            rates = ", ".join(f"{rate:.1f}/s in batches of {size}" for size, rate in found["clips_per_second"].items())
            size = f" ({parity['megabytes'][name]} MB)" if name in parity["megabytes"] else ""
            lines.append(f"  {name}{size}: {rates}")
            for head, difference in found.get("max_difference", {}).items():
                same = found["same_class"].get(head)
                agreement = "" if same is None else f", same class in {same:.2%}"
                lines.append(f"    {head:<14} max |Δ| {difference:.1e}{agreement}")
        if compared.get("unreadable"):
            lines.append(f"  {len(compared['unreadable']):,} more could not be read: {compared['unreadable'][0]} …")
    return "\n".join(lines)


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="folder or Hub id of a checkpoint")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder to write to, empty or new")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("float32", "int8", "float16"),
        default=["float32"],
        help="what to write; float32 always is, and the others are made of it",
    )
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="compare on the recordings below it too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
