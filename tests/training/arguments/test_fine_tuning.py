import re

import pytest

from tests.conftest import ROOT
from tests.support.trainings import REQUIRED_FLAGS
from training.arguments.parse import parse_args
from training.arguments.training_arguments import SERTrainingArguments


@pytest.mark.parametrize(
    "flags",
    [
        ["--head_learning_rate", "0"],
        ["--head_learning_rate", "nan"],
        ["--layer_decay", "0"],
        ["--layer_decay", "1.1"],
        ["--lora_rank", "-1"],
        ["--lora_alpha", "0", "--lora_rank", "8"],
        ["--lora_alpha", "4.0"],
    ],
)
def test_an_unusable_value_is_refused_with_its_flag(flags):
    with pytest.raises(ValueError, match=" ".join(flags[:2])):
        parse_args([*REQUIRED_FLAGS, *flags])


def test_by_default_all_of_the_model_is_trained_at_one_rate():
    args = SERTrainingArguments("out")
    assert (args.head_learning_rate, args.layer_decay, args.lora_rank, args.lora_alpha) == (None, 1.0, 0, None)


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "fine_tuning.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_are_valid(tmp_path, example):
    (tmp_path / "config.yaml").write_text(example)
    _, model, args, _, _ = parse_args(["--config", str(tmp_path / "config.yaml")])
    assert model.freeze == "encoder" or args.lora_rank or args.layer_decay < 1
