import pytest

from tests.support.trainings import REQUIRED_FLAGS
from tests.training.conftest import job
from training.arguments.parse import parse_args
from training.run import build_trainer

PUSH = ["--push_to_hub", "--hub_model_id", "team/ser"]


def test_settings_of_publishing_are_not_saved(tmp_path):
    _, _, args, _, settings = parse_args(
        [*REQUIRED_FLAGS, *PUSH, "--hub_private_repo", "false", "--hub_strategy", "end"]
    )
    assert (args.push_to_hub, args.publish_to, args.hub_private_repo) == (False, "team/ser", False)
    assert not [name for name in settings if "hub" in name]
    (tmp_path / "c.yaml").write_text("push_to_hub: true\nhub_model_id: team/ser\n")
    args = parse_args([*REQUIRED_FLAGS, "--config", str(tmp_path / "c.yaml")])[2]
    assert (args.publish_to, args.hub_private_repo) == ("team/ser", None)
    assert parse_args([*REQUIRED_FLAGS, "--hub_model_id", "team/ser"])[2].publish_to is None


def test_the_trainer_never_publishes(arguments, monkeypatch):
    trainer = build_trainer(job([*arguments, *PUSH]))
    monkeypatch.setattr(trainer, "push_to_hub", lambda **options: pytest.fail("the Trainer publishes"))
    monkeypatch.setattr(trainer, "init_hf_repo", lambda **options: pytest.fail("the Trainer makes a repository"))
    trainer.save_model()
    assert trainer.hub_model_id is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--push_to_hub"], "--hub_model_id"),
        ([*PUSH, "--hub_revision", "x"], "--hub_revision x"),
        ([*PUSH, "--hub_strategy", "checkpoint"], "--hub_strategy checkpoint"),
        ([*PUSH, "--hub_always_push", "true"], "--hub_always_push True"),
    ],
)
def test_other_hub_settings_are_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*REQUIRED_FLAGS, *flags])


@pytest.mark.parametrize("word", ["maybe", "flase", "", "null", "None", "private"])
def test_a_value_that_is_not_boolean_publishes_nothing(tmp_path, word):
    (tmp_path / "c.yaml").write_text(f"hub_private_repo: {word}\n")
    for flags in (["--hub_private_repo", word], [f"--hub_private_repo={word}"], ["--config", str(tmp_path / "c.yaml")]):
        with pytest.raises((SystemExit, ValueError)):
            parse_args([*REQUIRED_FLAGS, *PUSH, *flags])
