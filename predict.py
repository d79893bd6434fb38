"""Audio and video files -> emotion, and what the other heads say.

python predict.py clip.wav --model runs/demo
python predict.py *.mp3 film.mkv --model runs/demo --json
"""

from __future__ import annotations

import argparse
import json
import sys


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    from inference.files import format_answer, format_table, load_pipeline, predict_files

    try:
        recognise = load_pipeline(args.model)
    except ValueError as error:
        sys.exit(f"predict.py: {error}")
    answers = list(predict_files(recognise, args.file))
    if args.json:
        print(json.dumps(answers, indent=1, ensure_ascii=False))
    else:
        print(format_answer(answers[0]) if len(answers) == 1 else format_table(answers))
    failed = sum("error" in answer for answer in answers)
    if failed:
        sys.exit(f"predict.py: {failed} of {len(answers)} files could not be read.")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="+", help="audio or video file")
    parser.add_argument("--model", required=True, metavar="CHECKPOINT", help="folder or Hub id of a checkpoint")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
