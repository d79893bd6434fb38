"""The decoder and the corpora's readers on what chance makes of good files and names; and what that once found."""

import random
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.audio_files import walk
from preprocessing.clip import Clip, SkippedClip
from preprocessing.corpora import CORPORA
from tests.support.corpus_folders import LAID_OUT
from tests.support.fuzzing import Search, decode, mutate, seeds

pytestmark = pytest.mark.slow

SEEDS = seeds()
# Digits and letters that are others' to a program that is not careful: they match, fold, or count as these.
LOOKALIKES = "0123456789١२๓²½_- ./()abcfmsxABFMSſKİıßéÉéªαА"


@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_whatever_a_file_holds_the_decoder_reads_it_or_states_why_not(content, chance):
    assert decode(mutate(content, random.Random(chance), SEEDS))


@pytest.mark.stress
def test_seven_minutes_of_searching_the_decoder_find_nothing():
    search = Search(list(SEEDS))
    search.run(420)
    print(f"{sum(search.outcomes.values()):,} files tried")
    assert not search.findings


@cache
def tree_of(corpus: str) -> tuple[dict[str, str], list[str]]:
    """What a corpus holds besides the recordings, and the names of some of these."""
    tree = LAID_OUT[corpus].tree()
    names = [name for name in tree if not tree[name]]
    return {name: content for name, content in tree.items() if content}, names[:: len(names) // 40 + 1]


@st.composite
def names_like(draw, names):
    name = list(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(name) - 1))
        name[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(["", *LOOKALIKES]))
    return "".join(name)


@st.composite
def corpora(draw):
    """A corpus, and files like its own, of which a table may be damaged."""
    corpus = draw(st.sampled_from(sorted(CORPORA)))
    beside, names = tree_of(corpus)
    files = dict.fromkeys(draw(st.lists(names_like(names), min_size=1, max_size=8)), b"")
    files |= {name: content.encode()[:5000] for name, content in beside.items()}
    if beside and draw(st.booleans()):
        damaged = draw(st.sampled_from(sorted(beside)))
        chance = random.Random(draw(st.integers(0, 2**32)))
        files[damaged] = mutate(files[damaged], chance, list(files.values()))
    return corpus, files


@given(corpora())
def test_whatever_files_are_called_each_is_a_clip_or_skipped_with_a_reason(laid_out):
    corpus, files = laid_out
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "corpus")
        root.mkdir()
        for name, content in files.items():
            _lay_out(root, name, content)
        try:
            entries = list(CORPORA[corpus].read(root))
        except ValueError:  # a table is missing or damaged
            return
        recordings = set(walk(root, (".wav", ".mp4", ".avi", ".flac")))
        clips = [entry for entry in entries if isinstance(entry, Clip)]
        skipped = [entry for entry in entries if isinstance(entry, SkippedClip)]
        assert {clip.path for clip in clips} <= recordings
        assert len(skipped) >= len(recordings - {clip.path for clip in clips}) - len(files) * (corpus in SISTERS)
        assert len({clip.id.casefold() for clip in clips}) == len(clips)
        for entry in entries:
            entry.id.encode()


SISTERS = ("esd_en", "esd_zh")  # one folder for both, of which each reads its own


def _lay_out(root: Path, name: str, content: bytes) -> None:
    path = root / name.strip("/")
    if path.is_relative_to(root) and ".." not in path.parts and path != root:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:  # one name is the folder of another
            return
