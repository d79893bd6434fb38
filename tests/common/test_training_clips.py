import pytest

from common.training_clips import TRAINING_CLIPS, read_training_clips, training_protocol, union, write_training_clips


def test_the_clips_of_a_training_and_of_those_before_it_are_read_as_written(tmp_path):
    write_training_clips(tmp_path, ["alpha/b.wav", "alpha/ä.wav"])
    assert read_training_clips(str(tmp_path)) == {"alpha/b.wav", "alpha/ä.wav"}
    write_training_clips(tmp_path, ["alpha/b.wav"], before=["another", "alpha/b.wav"])
    assert read_training_clips(str(tmp_path)) == {"alpha/b.wav", "another"}


def test_incomplete_sets_of_clips_are_not_written(tmp_path):
    write_training_clips(tmp_path, ["alpha/b.wav"])
    write_training_clips(tmp_path, ["alpha/b.wav"], before=None)
    assert not (tmp_path / TRAINING_CLIPS).exists()
    assert read_training_clips(str(tmp_path)) is None
    write_training_clips(tmp_path, ["alpha/b.wav"], before=None)


def test_a_union_with_an_unknown_set_is_unknown():
    assert union(["a"], {"a", "b"}, ()) == {"a", "b"}
    assert union(["a"], None) is None


def test_the_protocol_is_that_of_the_training(tmp_path):
    (tmp_path / "train_config.yaml").write_text("protocol: speaker\n", encoding="utf-8")
    assert training_protocol(str(tmp_path)) == "speaker"


@pytest.mark.parametrize("content", [None, b"", b"[]", b"seed: 1", b"{", b"\xff"])
def test_a_checkpoint_that_does_not_name_its_protocol_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "train_config.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=r"train_config\.yaml.*--protocol"):
        training_protocol(str(tmp_path))
