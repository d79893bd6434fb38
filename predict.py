"""Audio and video files -> emotion, and the outputs of the other heads.

    python predict.py clip.wav --model runs/demo
    python predict.py calls "more/**/*.mp3" --model runs/demo --output rows.parquet
    python predict.py film.mkv --model runs/demo --timeline --output film.srt
    python predict.py --microphone --model runs/demo
    accelerate launch predict.py --list calls.txt --model runs/demo --timeline --channels each --output rows.csv

Without --output the predictions are printed. With it, the same command resumes a run that was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.checkpoint_name import add_model_flag, check_checkpoint
from common.command_line import FlagParser, positive, run_command
from inference.engine.precision import add_precision_flag

if TYPE_CHECKING:
    from inference.batch.predict import PredictionRequest


# From this number on it pays to measure which precision is faster: of each file, seconds are processed. For a timeline,
# which may last hours, it always does.
_MANY_FILES = 10


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    try:
        from common.quiet import quiet_c_libraries  # other modules take seconds, and come after these checks
        from inference.batch.find_files import find_files, read_list
        from inference.batch.outputs import check_output

        if args.microphone:
            check_checkpoint(args.model)
            return _stream_microphone(args)
        found = find_files([*args.path, *(read_list(args.list) if args.list else ())])
        check_checkpoint(args.model)
        check_output(args.output, len(found.files), args.timeline, args.overwrite)
        quiet_c_libraries()
        sys.stderr.writelines(f"{note}\n" for note in found.notes)
        if failed := _predict(found.files, args):
            sys.exit(f"predict.py: {failed:,} of {len(found.files):,} files could not be read.")
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f"predict.py: {error}")


def _predict(files: tuple[str, ...], args: argparse.Namespace) -> int:
    """Prints or writes the predictions, and returns how many files could not be read."""
    from common.checkpoint_files import weights_sha256
    from inference.batch.run import export_timeline, join_processes, predict_all, run_batch
    from inference.engine.predictor import load_predictor
    from inference.table_writers import ROW_FORMATS

    request = _request(args)
    writes_rows = args.output and args.output.suffix in ROW_FORMATS
    state = join_processes()
    if state.num_processes > 1 and not writes_rows:
        raise ValueError(f"Several processes write rows together: --output must end in {', '.join(ROW_FORMATS)}.")
    predictor = load_predictor(
        args.model,
        backend=args.backend,
        precision=args.precision,
        batch_size=8 if args.batch_size is None else args.batch_size,
        measure=args.timeline or len(files) >= _MANY_FILES,
        in_first=state.in_first,
    )
    request.check(predictor)
    if writes_rows:
        settings = {"backend": args.backend, "precision": predictor.precision, "model": weights_sha256(args.model)}
        return run_batch(predictor, files, args.output, request, settings, wide=args.wide, overwrite=args.overwrite)
    if args.output:
        return export_timeline(predictor, files[0], args.output, request, overwrite=args.overwrite)
    rows = predict_all(predictor, files, request)
    _print_rows(rows, None if args.wide else predictor.main_task.name, args.json)
    return sum("error" in row for row in rows)


def _stream_microphone(args: argparse.Namespace) -> None:
    """Prints the events of the microphone, until Ctrl-C."""
    from inference.engine.predictor import load_predictor
    from inference.timeline.build import TimelineOptions
    from inference.timeline.live import LiveTimeline
    from inference.timeline.live_console import format_event
    from inference.timeline.microphone import record_blocks
    from modeling import OutputOptions

    predictor = load_predictor(args.model, batch_size=1, backend=args.backend, precision=args.precision)
    outputs = OutputOptions(args.top_k, tuple(args.labels or ()), args.uncertain_below)
    live = LiveTimeline(predictor, TimelineOptions(**_cut(args)), outputs)
    for block in record_blocks():
        for event in live.add(block):
            line = json.dumps(event, ensure_ascii=False) if args.json else format_event(event, predictor.main_task)
            if line is not None:
                print(line, flush=True)


def _cut(args: argparse.Namespace) -> dict[str, Any]:
    """The options that were given of how a recording is cut."""
    return {name: value for name in ("channels", "window_s", "hop_s") if (value := getattr(args, name)) is not None}


def _print_rows(rows: list[dict[str, Any]], head: str | None, as_json: bool) -> None:
    from inference.batch.console import format_rows

    print(json.dumps(rows, indent=1, ensure_ascii=False) if as_json else format_rows(rows, head))


def _request(args: argparse.Namespace) -> PredictionRequest:
    from inference.batch.predict import PredictionRequest
    from inference.timeline.build import TimelineOptions
    from modeling import OutputOptions

    outputs = OutputOptions(args.top_k, tuple(args.labels or ()), args.uncertain_below)
    if not args.timeline:
        return PredictionRequest(outputs, vad=not args.no_vad)
    return PredictionRequest(outputs, TimelineOptions(**_cut(args)))


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("path", nargs="*", help="file, folder, pattern such as 'calls/**/*.mp3', or URL")
    add("--list", type=Path, metavar="FILE", help="text file with one such path per line")
    add("--microphone", action="store_true", help="predict live from the microphone, hop by hop, until Ctrl-C")
    add_model_flag(parser)
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="rows as .jsonl, .csv or .parquet; a timeline also as .srt and others",
    )
    add("--overwrite", action="store_true", help="replace an existing --output")
    add(
        "--wide",
        action="store_true",
        help="print, and write to .csv, the other heads and all scores, too",
    )
    add("--json", action="store_true", help="print all outputs as JSON")
    add("--timeline", action="store_true", help="predict each segment of speech, instead of the beginning alone")
    add("--channels", choices=("mix", "each"), help="timeline: the mean of the channels, or each with its own segments")
    add("--window_s", type=float, metavar="S", help="timeline: seconds that the model processes at once")
    add("--hop_s", type=float, metavar="S", help="timeline: seconds from one window to the next")
    add("--no_vad", action="store_true", help="detect no speech, and predict an emotion also where nobody speaks")
    add("--labels", nargs="+", metavar="LABEL", help="the emotions to choose among")
    add("--top_k", type=int, metavar="N", help="only the N likeliest classes")
    add("--uncertain_below", type=float, metavar="P", help="mark predictions whose best score is below P")
    add_precision_flag(parser, onnx=True)
    add("--backend", choices=("torch", "onnx"), default="torch", help="onnx needs a folder that inference.onnx wrote")
    add("--batch_size", type=positive(int), metavar="N", help="clips that are processed at once (default: 8)")
    args = parser.parse_args()
    _check_combination(parser, args)
    return args


def _check_combination(parser: FlagParser, args: argparse.Namespace) -> None:
    """Ends the command where an argument would have no effect."""
    others = ("path", "list", "output", "overwrite", "wide", "timeline", "no_vad", "channels", "batch_size")
    if args.microphone and (given := [name for name in others if getattr(args, name) not in (None, False, [])]):
        names = ", ".join("files" if name == "path" else f"--{name}" for name in given)
        parser.error(f"--microphone is printed as it comes, and cannot be combined with {names}")
    if not (args.path or args.list or args.microphone):
        parser.error("expected files, folders, patterns or URLs, or a --list of them")
    if args.timeline and args.no_vad:
        parser.error("--timeline needs speech detection and cannot be combined with --no_vad")
    if not (args.timeline or args.microphone) and (
        args.channels or args.window_s is not None or args.hop_s is not None
    ):
        parser.error("--channels, --window_s and --hop_s require --timeline")
    if args.json and args.output:
        parser.error("--json changes what is printed, and cannot be combined with --output, whose suffix is the format")
    if args.wide and (args.json or (args.output and args.output.suffix != ".csv")):
        parser.error("--wide is for what is printed as a table, and for .csv; the other formats have all outputs")
    if args.overwrite and not args.output:
        parser.error("--overwrite requires --output")


if __name__ == "__main__":
    run_command("predict.py", main, " With --output, the same command resumes the run.")
