"""Audio and video files -> emotion, and what the other heads say.

    python predict.py clip.wav --model runs/demo
    python predict.py calls "more/**/*.mp3" --model runs/demo --output rows.parquet
    python predict.py film.mkv --model runs/demo --timeline --output film.srt
    accelerate launch predict.py --list calls.txt --model runs/demo --timeline --channels each --output rows.csv

Without --output the answers are printed. With it, a job that was killed goes on by the same command.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import FlagParser, run_command

if TYPE_CHECKING:
    from inference.batch.predict import PredictionRequest


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")  # shapes of batches; 1024 of them take 400 MB
    try:
        from common.quiet import quiet_c_libraries  # other modules take seconds, and come after these checks
        from inference.batch.find_files import check_checkpoint, find_files, read_list
        from inference.batch.outputs import check_output

        found = find_files([*args.path, *(read_list(args.list) if args.list else ())])
        check_checkpoint(args.model)
        check_output(args.output, len(found.files), args.timeline, args.overwrite)
        quiet_c_libraries()
        sys.stderr.writelines(f"{note}\n" for note in found.notes)
        if failed := _answer(found.files, args):
            sys.exit(f"predict.py: {failed:,} of {len(found.files):,} files could not be read.")
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f"predict.py: {error}")


def _answer(files: tuple[str, ...], args: argparse.Namespace) -> int:
    """Prints or writes the answers, and returns how many files could not be read."""
    from common.checkpoint import fingerprint
    from inference.batch.console import format_rows
    from inference.batch.run import export_timeline, join_processes, predict_all, run_batch
    from inference.batch.table_writers import ROW_FORMATS
    from inference.engine.predictor import load_predictor

    question = _question(args)
    rows_go_to_a_file = args.output and args.output.suffix in ROW_FORMATS
    if join_processes().num_processes > 1 and not rows_go_to_a_file:
        raise ValueError(f"Several processes together write rows: --output ends in {', '.join(ROW_FORMATS)}.")
    settings = {"backend": args.backend, "precision": args.precision}
    predictor = load_predictor(args.model, batch_size=args.batch_size, **settings)
    question.check(predictor)
    if rows_go_to_a_file:
        how = {"batch_size": args.batch_size, "wide": args.wide, "overwrite": args.overwrite}
        return run_batch(predictor, files, args.output, question, settings | {"model": fingerprint(args.model)}, **how)
    if args.output:
        return export_timeline(predictor, files[0], args.output, question, overwrite=args.overwrite)
    rows = predict_all(predictor, files, question, args.batch_size)
    head = None if args.wide else predictor.main_task.name
    print(json.dumps(rows, indent=1, ensure_ascii=False) if args.json else format_rows(rows, head))
    return sum("error" in row for row in rows)


def _question(args: argparse.Namespace) -> PredictionRequest:
    from inference.batch.predict import PredictionRequest
    from inference.timeline.build import TimelineOptions
    from modeling import OutputOptions

    answer = OutputOptions(args.top_k, tuple(args.labels or ()), args.uncertain_below)
    if not args.timeline:
        return PredictionRequest(answer, vad=not args.no_vad)
    given = {name: value for name in ("channels", "window_s", "hop_s") if (value := getattr(args, name)) is not None}
    return PredictionRequest(answer, TimelineOptions(**given))


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("path", nargs="*", help="file, folder, pattern such as 'calls/**/*.mp3', or URL")
    add("--list", type=Path, metavar="FILE", help="text file with one such path per line")
    add("--model", required=True, metavar="CHECKPOINT", help="folder or Hub id of a checkpoint")
    add("--output", type=Path, metavar="FILE", help="rows as .jsonl, .csv or .parquet; .srt and others of a timeline")
    add("--overwrite", action="store_true", help="replace an --output that is there already")
    add("--wide", action="store_true", help="print, and write into .csv, the other heads and all scores, too")
    add("--json", action="store_true", help="print everything as JSON")
    add("--timeline", action="store_true", help="segments of speech, rather than one answer for the beginning")
    add("--channels", choices=("mix", "each"), help="of a timeline: all together, or each with its own segments")
    add("--window_s", type=float, metavar="S", help="of a timeline: seconds that the model hears at once")
    add("--hop_s", type=float, metavar="S", help="of a timeline: seconds from one window to the next")
    add("--no_vad", action="store_true", help="name an emotion also where nobody speaks, and look for no speech")
    add("--labels", nargs="+", metavar="LABEL", help="the emotions to choose from")
    add("--top_k", type=int, metavar="N", help="the likeliest classes alone")
    add("--uncertain_below", type=float, metavar="P", help="say where the best emotion's score is below")
    add("--precision", choices=("float32", "bfloat16", "int8", "float16"), default="float32")
    add("--backend", choices=("torch", "onnx"), default="torch", help="onnx: of a folder by inference.onnx")
    add("--batch_size", type=int, default=8, metavar="N", help="clips that are computed at once")
    args = parser.parse_args()
    if not (args.path or args.list):
        parser.error("name files, folders or patterns, or a --list of them")
    if args.timeline and args.no_vad:
        parser.error("a --timeline is of the speech in a recording: leave --no_vad out")
    if not args.timeline and (args.channels or args.window_s is not None or args.hop_s is not None):
        parser.error("--channels, --window_s and --hop_s are settings of a --timeline")
    if args.json and args.output:
        parser.error("--json is for what is printed; the ending of --output says how rows are written")
    return args


if __name__ == "__main__":
    run_command("predict.py", main, " The same command resumes with what is left, where it has an --output.")
