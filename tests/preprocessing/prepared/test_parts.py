from dataclasses import replace
from pathlib import Path

import pytest

from preprocessing.clip import Clip, SkippedClip
from preprocessing.prepared.parts import (
    CLIPS_PER_PART,
    filled_parts,
    load_parts,
    load_skipped,
    plan_parts,
    remove_other_parts,
    write_parts,
)
from preprocessing.prepared.rows import PreparationConfig
from tests.support.audio_clips import write_clips

SHORT = PreparationConfig(min_duration_s=0.1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[Clip]:
    return write_clips(tmp_path_factory.mktemp("clips"), {"a": 4, "b": 3})


def test_a_part_has_clips_of_one_corpus_in_their_order(clips):
    parts = plan_parts(clips, SHORT).values()
    assert [clip for part in parts for clip in part] == clips
    assert all(len({clip.corpus for clip in part}) == 1 for part in parts)


def test_parts_are_bounded(clips):
    many = [replace(clips[0], id=f"a/{i}.wav") for i in range(20 * CLIPS_PER_PART)]
    sizes = [len(part) for part in plan_parts(many, SHORT).values()]
    assert sum(sizes) == len(many)
    assert len(sizes) > 10
    assert max(sizes) <= 4 * CLIPS_PER_PART


def test_a_name_changes_with_the_file_the_labels_and_the_settings_and_not_with_the_folder(clips, tmp_path):
    names = plan_parts(clips, SHORT).keys()
    moved = [replace(clip, path=clip.path.rename(tmp_path / clip.path.name)) for clip in clips]
    assert plan_parts(moved, SHORT).keys() == names
    for clip, there in zip(clips, moved, strict=True):
        there.path.rename(clip.path)
    assert not plan_parts(clips, PreparationConfig()).keys() & names
    assert len(plan_parts([replace(clips[0], emotion="sad"), *clips[1:]], SHORT).keys() - names) == 1


def test_what_is_written_can_be_loaded_and_what_is_skipped_has_its_reason(clips, tmp_path):
    missing = replace(clips[0], id="c/gone.wav", corpus="c", path=Path(clips[0].path.parent, "text.wav"))
    missing.path.write_text("no audio")
    parts = plan_parts([*clips, missing], SHORT)
    write_parts(tmp_path, parts, SHORT, num_proc=1)
    filled = filled_parts(tmp_path, parts)
    assert load_parts(tmp_path, filled)["id"][:] == [clip.id for clip in clips]
    assert len(filled) == len(parts) - 1
    (skipped,) = load_skipped(tmp_path, parts).values()
    assert (type(skipped), skipped.id, skipped.kind) == (SkippedClip, missing.id, "unusable")


def test_other_parts_are_removed(clips, tmp_path):
    parts = plan_parts(clips, SHORT)
    write_parts(tmp_path, parts, SHORT, num_proc=1)
    (tmp_path / "0.123.unfinished").mkdir()
    keep = list(parts)[:1]
    remove_other_parts(tmp_path, keep)
    assert [path.name for path in tmp_path.iterdir()] == keep
