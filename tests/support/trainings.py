"""The flags that every training needs, and the record of one."""

from training.record import training_record
from training.run import build_trainer

REQUIRED_FLAGS = ["--data", "prepared", "--output_dir", "runs/x", "--model_name_or_path", "backbone"]


def record_of(ready) -> dict:
    """The record of a training that is ready to start, as `prepare_job` returns it."""
    return training_record(ready, build_trainer(ready))
