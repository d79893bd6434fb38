"""Prepared folder -> checkpoint.

    python train.py --config configs/demo.yaml
    python train.py --model_name_or_path facebook/wav2vec2-large-xlsr-53 --data prepared --output_dir runs/paper
    accelerate launch train.py --config configs/demo.yaml --output_dir runs/two
    python train.py --config configs/demo.yaml --output_dir runs/grid --sweep
    python train.py --config configs/demo.yaml --push_to_hub --hub_model_id my-team/ser-demo

The same command with `--resume_from_checkpoint latest` goes on where an interrupted training stopped. A sweep goes on
by the same command as it is, and the same command in several terminals shares its points among them. What is published
is private unless `--hub_private_repo false`.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import run_command

if TYPE_CHECKING:
    from training.arguments.settings import SERTrainingArguments


def main() -> None:
    """Runs the command line."""
    try:
        _check_access()  # before any hour, any clip, and the seconds that the imports below take
        from training.arguments.parse import parse_args

        settings = parse_args()
        args = settings[2]
        from training.errors import describe_failure
        from training.job import prepare_job
        from training.run import train
        from training.sweep import Sweep

        job = prepare_job(*settings)
        sweep = Sweep(job) if job.sweep.sweep else None
    except (OSError, ValueError) as error:
        sys.exit(f"train.py: {error}")
    try:
        if sweep is None:
            train(job)
        elif sweep.run()["best"] is None:
            sys.exit(f"train.py: every point of the sweep failed; {sweep.report} says why.")
    except Exception as error:
        if (sentence := describe_failure(error)) is None:
            raise
        sys.exit(f"train.py: {sentence}")
    if args.process_index == 0:
        print(f"\nThe checkpoint is in {args.output_dir}.")
        if args.publish_to is not None:
            _publish(args)


def _check_access() -> None:
    from publishing.destination import find_push_target

    destination = find_push_target(sys.argv[1:])
    if destination is not None and os.environ.get("RANK", "0") == "0":  # the first of several processes
        from publishing.hub import check_access

        check_access(destination.repo_id, public=destination.public)


def _publish(args: SERTrainingArguments) -> None:
    from publishing.export import export_checkpoint
    from publishing.hub import describe_publication, head_of, publish_folder
    from publishing.staging import staging_folder

    public = args.hub_private_repo is False
    words = ["python", "publish.py", args.output_dir, "--repo", args.publish_to, *(["--public"] if public else [])]
    command = shlex.join(words)
    try:
        with staging_folder(Path(args.output_dir)) as folder:
            export_checkpoint(Path(args.output_dir), Path(folder), args.publish_to)
            before = head_of(args.publish_to)
            url = publish_folder(
                Path(folder), args.publish_to, public=public, message="Publish the model", command=command
            )
    except (OSError, ValueError) as error:
        said = str(error)
        sys.exit(f"train.py: {said}" + ("" if said.endswith(command) else f" Then publish it with: {command}"))
    print(describe_publication(url, before))


if __name__ == "__main__":
    run_command("train.py", main)
