"""Prepared folder -> checkpoint.

    python train.py --config configs/demo.yaml
    python train.py --model_name_or_path facebook/wav2vec2-large-xlsr-53 --data prepared --output_dir runs/paper
    accelerate launch train.py --config configs/demo.yaml --output_dir runs/two
    python train.py --config configs/demo.yaml --output_dir runs/grid --sweep
    python train.py --config configs/demo.yaml --output_dir runs/folds --protocol folds:5 --seeds 1 2 3
    python train.py --config configs/demo.yaml --push_to_hub --hub_model_id my-team/ser-demo

The same command with `--resume_from_checkpoint latest` resumes an interrupted training. A sweep, or several seeds or
folds, are resumed by the same command, and several processes that run it share the trainings. Publishing is private
unless `--hub_private_repo false`.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import run_command

if TYPE_CHECKING:
    from training.arguments.training_arguments import SERTrainingArguments


def main() -> None:
    """Runs the command line."""
    try:
        from training.arguments.parse import parse_args

        settings = parse_args()
        args = settings[2]
        if args.publish_to is not None and args.process_index == 0:
            from publishing.hub_access import check_access

            check_access(args.publish_to, public=args.hub_private_repo is False)
        from training.errors import describe_failure
        from training.plan import plan_training

        run = plan_training(*settings)
    except (OSError, ValueError) as error:
        sys.exit(f"train.py: {error}")
    try:
        done = run()
    except Exception as error:
        if (sentence := describe_failure(error)) is None:
            raise
        sys.exit(f"train.py: {sentence}")
    if args.process_index == 0:
        print(f"\n{done}")
        if args.publish_to is not None:
            _publish(args)


def _publish(args: SERTrainingArguments) -> None:
    from publishing.export import export_checkpoint
    from publishing.hub import describe_publication, head_of, publish_folder, staging_folder

    output_dir, repo_id = str(args.output_dir), str(args.publish_to)
    public = args.hub_private_repo is False
    command_words = [
        "python",
        "publish.py",
        output_dir,
        "--repo",
        repo_id,
        *(["--public"] if public else []),
    ]
    command = shlex.join(command_words)
    try:
        with staging_folder(Path(output_dir)) as folder:
            export_checkpoint(Path(output_dir), Path(folder), repo_id)
            before = head_of(repo_id)
            url = publish_folder(Path(folder), repo_id, public=public, message="Publish the model", command=command)
    except (OSError, ValueError) as error:
        message = str(error)
        sys.exit(f"train.py: {message}" + ("" if message.endswith(command) else f" To publish it, run: {command}"))
    print(describe_publication(url, before))


if __name__ == "__main__":
    run_command("train.py", main)
