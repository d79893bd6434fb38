import pytest

from tests.training.conftest import job
from training.arguments.parse import parse_args
from training.run import build_trainer

BASE = ["--data", "prepared", "--output_dir", "out", "--model_name_or_path", "x"]
PUSH = ["--push_to_hub", "--hub_model_id", "team/ser"]


def test_what_is_published_is_no_setting_of_a_training(tmp_path):
    _, _, args, _, settings = parse_args([*BASE, *PUSH, "--hub_private_repo", "false", "--hub_strategy", "end"])
    assert (args.push_to_hub, args.publish_to, args.hub_private_repo) == (False, "team/ser", False)
    assert not [name for name in settings if "hub" in name]
    (tmp_path / "c.yaml").write_text("push_to_hub: true\nhub_model_id: team/ser\n")
    args = parse_args([*BASE, "--config", str(tmp_path / "c.yaml")])[2]
    assert (args.publish_to, args.hub_private_repo) == ("team/ser", None)
    assert parse_args([*BASE, "--hub_model_id", "team/ser"])[2].publish_to is None


def test_the_trainer_never_publishes(words, monkeypatch):
    trainer = build_trainer(job([*words, *PUSH]))
    monkeypatch.setattr(trainer, "push_to_hub", lambda **options: pytest.fail("the Trainer publishes"))
    monkeypatch.setattr(trainer, "init_hf_repo", lambda **options: pytest.fail("the Trainer makes a repository"))
    trainer.save_model()
    assert trainer.hub_model_id is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--push_to_hub"], "needs to know where to: --hub_model_id NAMESPACE/NAME"),
        ([*PUSH, "--hub_revision", "x"], "publishes once, at the end"),
        ([*PUSH, "--hub_strategy", "checkpoint"], "publishes once, at the end"),
        ([*PUSH, "--hub_always_push", "true"], "publishes once, at the end"),
    ],
)
def test_what_the_trainer_alone_could_do_is_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*BASE, *flags])
