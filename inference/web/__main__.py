"""The HTTP service, and the page where Gradio is installed.

python -m inference.web serve --model runs/demo
SER_API_KEYS=KEY1,KEY2 python -m inference.web serve --model onnx/demo --backend onnx --host 0.0.0.0 --port 8000

Its addresses, with examples, are at /docs; see docs/jobs/service.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from common.checkpoint_name import add_model_flag, check_checkpoint
from common.command_line import FlagParser, port, positive, run_command

from ..engine.precision import add_precision_flag

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..engine.predictor import Predictor

_Limits = dict[str, tuple[Callable[[str], float], str]]  # name -> what reads it, what it means
_PACKAGES = ("fastapi", "uvicorn", "websockets", "python_multipart", "prometheus_client")


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"inference.web: {', '.join(missing)} not installed. Install with: pip install -e '.[service]'")
    try:
        from common.quiet import quiet_c_libraries

        check_checkpoint(args.model)
        quiet_c_libraries()
        with ExitStack() as stack:
            _serve(args, stack)
    except (ValueError, OSError) as error:
        sys.exit(f"inference.web: {error}")


def _serve(args: argparse.Namespace, stack: ExitStack) -> None:
    from ..engine.predictor import load_predictor  # it and what follows take seconds
    from .api.admission import ApiLimits
    from .api.app import build_app
    from .api.models import describe_model, warm_up
    from .api.server import Server

    given = {field.name: getattr(args, field.name) for field in fields(ApiLimits) if field.name in args}
    keys = tuple(key.strip() for key in os.environ.get("SER_API_KEYS", "").split(",") if key.strip())
    predictor = load_predictor(args.model, backend=args.backend, precision=args.precision, batch_size=args.batch_size)
    warm_up(predictor)
    service = build_app(predictor, ApiLimits(keys=keys, **given), describe_model(args.model, args.backend, predictor))
    if args.page:
        _add_page(service.app, predictor, args.model, stack)
    server = Server(service, args.host, args.port)
    print(f"{server.url}/docs", flush=True)
    server.serve_until_asked_to_end()


def _add_page(app: FastAPI, predictor: Predictor, checkpoint: str, stack: ExitStack) -> None:
    """Mounts the page of `app.py` at the root."""
    from .expired_files import deleting_expired_files, temporary_folder
    from .service import Limits

    limits = Limits()
    folder = stack.enter_context(temporary_folder())
    stack.enter_context(deleting_expired_files(folder / "uploads", limits.keep_s))
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")  # which Gradio reads when it is imported
    from .examples import write_examples
    from .model_description import load_model_description
    from .page import build_page, mount_page

    page = build_page(predictor, limits, write_examples(folder), load_model_description(checkpoint))
    mount_page(app, page, limits, folder / "uploads")


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(
        "python -m inference.web", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("serve",), help="what to do")
    add = parser.add_argument
    add_model_flag(parser)
    add("--backend", choices=("torch", "onnx"), default="torch", help="onnx needs a folder that inference.onnx wrote")
    add_precision_flag(parser, onnx=True)
    add(
        "--batch_size", type=positive(int), default=8, metavar="N", help="clips that are processed at once (default: 8)"
    )
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, only this machine)")
    add("--port", type=port, default=8000, help="port to listen on (default: 8000)")
    add("--page", action="store_true", help="serve the page of app.py at /, too; needs Gradio")
    above_0, from_0 = positive(float), positive(float, or_zero=True)
    limits: _Limits = {
        "megabytes": (above_0, "largest body of a request"),
        "total_megabytes": (above_0, "all bodies that are held at once"),
        "minutes": (above_0, "longest recording whose timeline is computed"),
        "job_above_s": (from_0, "seconds from which a timeline is a job"),
        "requests": (positive(int), "requests that are answered at once"),
        "jobs": (positive(int), "jobs that wait, run or hold a result"),
        "streams": (positive(int), "streams that are open at once"),
        "per_minute": (above_0, "requests of a client in a minute"),
        "keep_s": (above_0, "seconds that the result of a job is kept"),
        "grace_s": (from_0, "seconds that running work may take after SIGTERM"),
    }
    _add_limits(parser, limits)
    return parser.parse_args()


def _add_limits(parser: FlagParser, limits: _Limits) -> None:
    from .api.admission import ApiLimits

    defaults = ApiLimits()
    for name, (kind, meaning) in limits.items():
        value: Any = getattr(defaults, name)
        parser.add_argument(f"--{name}", type=kind, default=value, metavar="N", help=f"{meaning} (default: {value:g})")


if __name__ == "__main__":
    run_command("inference.web", main)
