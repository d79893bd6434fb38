import pytest
from transformers import TrainingArguments

from tests.support.trainings import REQUIRED_FLAGS
from training.arguments.parse import parse_args
from training.arguments.training_arguments import SERTrainingArguments


def test_every_default_that_differs_from_transformers_is_named_in_the_docstring():
    ours = {name: entry.default for name, entry in SERTrainingArguments.__dataclass_fields__.items()}
    theirs = {name: entry.default for name, entry in TrainingArguments.__dataclass_fields__.items()}
    differing = {name for name in ours if name not in theirs or ours[name] != theirs[name]}
    unnamed = {name for name in differing if f"`{name}`" not in SERTrainingArguments.__doc__}
    assert unnamed - {"bf16", "per_device_train_batch_size"} == set()
    assert "`bf16`" in SERTrainingArguments.__doc__


def test_a_token_is_not_saved():
    with pytest.raises(ValueError, match=r"hf auth login.*HF_TOKEN") as error:
        parse_args([*REQUIRED_FLAGS, "--hub_token", "hf_secret"])
    assert "hf_secret" not in str(error.value)
