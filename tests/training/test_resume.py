import pytest

from training.resume import checkpoint_to_resume


@pytest.fixture
def output_dir(tmp_path):
    """Two whole checkpoints, and a third in whose writing the process was killed."""
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-11" / "trainer_state.json").write_text('{"global_st')
    (tmp_path / "checkpoint-best").mkdir()
    return tmp_path


@pytest.mark.parametrize("word", ["latest", "true", "True"])
def test_latest_is_the_last_whole_one_by_number(output_dir, word):
    assert checkpoint_to_resume(output_dir, word) == str(output_dir / "checkpoint-10")


def test_latest_is_the_beginning_where_there_is_none(tmp_path):
    assert checkpoint_to_resume(tmp_path, "latest") is None
    assert checkpoint_to_resume(tmp_path / "not there yet", "latest") is None


def test_a_finished_training_without_a_checkpoint_is_not_begun_again(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ValueError, match="finished training"):
        checkpoint_to_resume(tmp_path, "latest")


def test_a_checkpoint_by_its_path(output_dir):
    path = str(output_dir / "checkpoint-9")
    assert checkpoint_to_resume(output_dir, path) == path


@pytest.mark.parametrize("name", ["checkpoint-11", "checkpoint-12"])
def test_half_a_checkpoint_or_none_is_refused(output_dir, name):
    with pytest.raises(ValueError, match="no whole checkpoint"):
        checkpoint_to_resume(output_dir, str(output_dir / name))


def test_another_training_is_not_overwritten(output_dir, tmp_path):
    with pytest.raises(ValueError, match="another training"):
        checkpoint_to_resume(output_dir, None)
    assert checkpoint_to_resume(tmp_path / "new", None) is None
