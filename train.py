"""Prepared folder -> checkpoint.

    python train.py --config configs/demo.yaml
    python train.py --model_name_or_path facebook/wav2vec2-large-xlsr-53 --data prepared --output_dir runs/paper
    accelerate launch train.py --config configs/demo.yaml --output_dir runs/two
    python train.py --config configs/demo.yaml --output_dir runs/grid --sweep

The same command with `--resume_from_checkpoint latest` goes on where an interrupted training stopped. A sweep goes on
by the same command as it is, and the same command in several terminals shares its points among them.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    from training.arguments import parse_args
    from training.run import plan, train
    from training.sweep import Sweep

    try:
        job = plan(*parse_args())
        sweep = Sweep(job) if job.sweep.sweep else None
    except ValueError as error:
        sys.exit(f"train.py: {error}")
    if sweep is None:
        train(job)
    elif sweep.run()["best"] is None:
        sys.exit(f"train.py: every point of the sweep failed; {sweep.report} says why.")
    if job.args.process_index == 0:
        print(f"\nThe checkpoint is in {job.args.output_dir}.")


if __name__ == "__main__":
    main()
