import argparse

import pytest

from common.checkpoint_name import DEFAULT_CHECKPOINT, add_model_flag, check_checkpoint


def test_the_model_of_the_repository_is_used_unless_another_is_named(monkeypatch):
    def model(*arguments):
        parser = argparse.ArgumentParser()
        add_model_flag(parser)
        return parser.parse_args(arguments).model

    monkeypatch.delenv("SER_MODEL", raising=False)
    assert model() == DEFAULT_CHECKPOINT
    monkeypatch.setenv("SER_MODEL", "team/ser")
    assert model() == "team/ser"
    assert model("--model", "runs/mine") == "runs/mine"


def test_a_name_that_only_a_folder_can_have_needs_a_folder(tmp_path):
    for name in (str(tmp_path), "runs-that-may-be-on-the-hub", "team/model"):
        check_checkpoint(name)
    for name in ("./none", "../none", f"{tmp_path}/none", "~/none", "runs/none/deeper"):
        with pytest.raises(ValueError, match="none"):
            check_checkpoint(name)
