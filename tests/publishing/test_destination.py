import pytest

from publishing.destination import find_push_target
from training.arguments.parse import parse_args

BASE = ["--data", "prepared", "--output_dir", "out", "--model_name_or_path", "x"]
NAME = ["--hub_model_id", "team/ser"]


@pytest.fixture
def config(tmp_path) -> str:
    path = tmp_path / "push.yaml"
    path.write_text("push_to_hub: true\nhub_model_id: team/other\nhub_private_repo: false\ntasks: [emotion]\n")
    return str(path)


@pytest.mark.parametrize(
    "words",
    [
        [],
        NAME,
        ["--push_to_hub", *NAME],
        ["--push_to_hub", "true", "--hub_model_id=team/ser"],
        ["--push-to-hub=True", "--hub-model-id", "team/ser", "--hub-private-repo", "1"],
        ["--push_to_hub", "false", *NAME],
        [*NAME, "--hub_private_repo", "no", "--push_to_hub"],
        ["--config", "CONFIG"],
        ["--config", "CONFIG", *NAME, "--hub_private_repo", "true"],
        ["--config", "CONFIG", "--push_to_hub", "0"],
    ],
)
def test_it_reads_the_command_line_as_training_does(config, words):
    argv = [*BASE, *(config if word == "CONFIG" else word for word in words)]
    args = parse_args(argv)[2]
    found = find_push_target(argv)
    assert (found and found.repo_id) == args.publish_to
    if found:
        assert found.public is (args.hub_private_repo is False)


@pytest.mark.parametrize("word", ["maybe", "flase", "", "null", "None", "private"])
def test_what_is_neither_yes_nor_no_makes_nothing_public(config, tmp_path, word):
    push = ["--push_to_hub", *NAME]
    assert find_push_target([*BASE, *push, "--hub_private_repo", word]) is None
    assert find_push_target([*BASE, *push, f"--hub_private_repo={word}"]) is None
    (tmp_path / "c.yaml").write_text(f"hub_private_repo: {word}\n")
    assert find_push_target([*BASE, *push, "--config", str(tmp_path / "c.yaml")]) is None
    assert find_push_target([*BASE, "--config", config, "--hub_private_repo", word]) is None
    with pytest.raises((SystemExit, ValueError)):
        parse_args([*BASE, *push, "--hub_private_repo", word])
    with pytest.raises((SystemExit, ValueError)):
        parse_args([*BASE, *push, "--config", str(tmp_path / "c.yaml")])


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_who_asks_for_help_publishes_nothing(config, flag):
    assert find_push_target([*BASE, "--push_to_hub", *NAME, flag]) is None
    assert find_push_target([flag, *BASE, "--config", config]) is None


@pytest.mark.parametrize("text", ["push_to_hub: [", "- a list", "just words"])
def test_what_is_wrong_is_left_to_the_real_parser(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    assert find_push_target([*BASE, "--config", str(tmp_path / "c.yaml"), "--push_to_hub", *NAME]) is None
    assert find_push_target([*BASE, "--config", str(tmp_path / "none.yaml"), "--push_to_hub", *NAME]) is None
    assert find_push_target([*BASE, "--push_to_hub", "--hub_model_id"]) is None
