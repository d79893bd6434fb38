"""Checkpoint -> a web page: upload or record speech, and see emotion over time.

    python app.py
    python app.py --model my-team/ser-13 --port 8000 --max_minutes 60

On the Hub it runs as a Space without changes: see publish.py --space.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
from pathlib import Path

from common.checkpoint_name import check_checkpoint, default_checkpoint
from common.command_line import FlagParser, port, positive, run_command
from inference.engine.precision import add_precision_flag


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    if importlib.util.find_spec("gradio") is None:
        sys.exit("app.py: Gradio is not installed. Install it with: pip install -e '.[page]'")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that uploads are deleted
    try:
        from common.quiet import quiet_c_libraries

        checkpoint = args.model or _find_model(Path(__file__).parent)
        check_checkpoint(checkpoint)
        quiet_c_libraries()
        import torch  # it and what follows take seconds

        from inference.engine.predictor import load_predictor
        from inference.web.expired_files import deleting_expired_files, temporary_folder
        from inference.web.service import Limits

        limits = Limits(args.max_minutes, args.max_mb, args.max_total_mb, concurrent=args.concurrent)
        predictor = load_predictor(checkpoint, precision=args.precision)
        torch.set_num_threads(max(1, torch.get_num_threads() // limits.concurrent))  # of a request's single clip
        with temporary_folder() as folder, deleting_expired_files(folder / "uploads", limits.keep_s):
            os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")  # which Gradio reads when it is imported
            from inference.web.api.admission import Admission, ApiLimits
            from inference.web.api.metrics import Metrics
            from inference.web.api.stream import Streams
            from inference.web.examples import write_examples
            from inference.web.model_description import load_model_description
            from inference.web.page import build_page, serve_page

            page = build_page(predictor, limits, write_examples(folder), load_model_description(checkpoint))
            streams = Streams(predictor, Admission(ApiLimits(streams=limits.streams)), Metrics())
            serve_page(page, streams, limits, folder / "uploads", args.host, args.port)
    except (ValueError, OSError) as error:
        sys.exit(f"app.py: {error}")


def _find_model(folder: Path) -> str:
    """`SER_MODEL`; or that of a Space, its folder `model` or what its README.md names; or the repository's own."""
    if "SER_MODEL" not in os.environ:
        if (folder / "model").is_dir():
            return str(folder / "model")
        from huggingface_hub import metadata_load

        if models := (metadata_load(folder / "README.md") or {}).get("models"):
            return str(models[0])
    return default_checkpoint()


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="CHECKPOINT", help="folder or Hub id of a checkpoint")
    add_precision_flag(parser)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1, which only this machine can reach)")
    parser.add_argument("--port", type=port, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--max_minutes", type=positive(float), default=10.0, help="longest recording (default: 10)")
    parser.add_argument(
        "--max_mb", type=positive(float), default=50.0, help="largest file in MB of 2**20 bytes (default: 50)"
    )
    parser.add_argument(
        "--max_total_mb",
        type=positive(float),
        default=2000.0,
        help="of all uploads (default: 2000)",
    )
    parser.add_argument("--concurrent", type=positive(int), default=2, help="requests computed at a time (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    run_command("app.py", main)
