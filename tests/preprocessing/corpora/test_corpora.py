"""Each corpus, laid out in full with the names of its files, with junk next to it. Audio files are empty: none is read.

The trees stand in `tests/support/corpora`, one module per corpus: `tree()` gives path -> content; `EMOTIONS` and
`GENDERS` count the clips that are kept under the paper's rules (`GENDERS` None where the list of files is not known);
`SKIPPED` counts the reasons of the others; `CASES` are real names, and the fields they give; `LOST` are clips that
are too short or that cannot be decoded.
"""

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from preprocessing.clip import Clip, SkippedClip
from preprocessing.corpora import CORPORA
from preprocessing.corpora.scan import BROKEN_LINK, NOT_A_FILE, Source, scan
from tests.support.corpus_folders import JUNK, LAID_OUT, lay_out

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CORPORA)
def test_the_full_tree_gives_the_authors_counts(tmp_path, name):
    module = LAID_OUT[name]
    lay_out(tmp_path / "download" / "corpus", module.tree() | JUNK)
    entries = scan([Source(name, tmp_path)])
    clips = [entry for entry in entries if isinstance(entry, Clip)]
    assert Counter(clip.emotion for clip in clips) == module.EMOTIONS
    if module.GENDERS is not None:
        assert Counter(clip.gender for clip in clips) == module.GENDERS
    assert Counter(entry.reason for entry in entries if isinstance(entry, SkippedClip)) == module.SKIPPED
    assert len({entry.id for entry in entries}) == len(entries)
    assert len({(clip.path, clip.start_s, clip.end_s) for clip in clips}) == len(clips)
    assert {(clip.corpus, clip.locale, clip.style) for clip in clips} == {
        (name, CORPORA[name].locale, CORPORA[name].style)
    }


@pytest.mark.parametrize("name", CORPORA)
def test_the_papers_count_is_that_of_the_clips_that_can_be_decoded_or_differs_for_a_reason(tmp_path, name):
    lay_out(tmp_path, LAID_OUT[name].tree())
    clips = [entry.path for entry in scan([Source(name, tmp_path)]) if isinstance(entry, Clip)]
    lost = {tmp_path / path for path in getattr(LAID_OUT[name], "LOST", ())}
    assert lost <= set(clips)
    corpus = CORPORA[name]
    if corpus.complete_clips is not None:
        assert corpus.paper_differs
        assert len(clips) - len(lost) == corpus.complete_clips
    elif corpus.paper_clips is not None and not corpus.paper_differs:
        assert len(clips) - len(lost) == corpus.paper_clips


CASES = [(name, path, expected) for name, module in LAID_OUT.items() for path, expected in module.CASES]


@pytest.mark.parametrize(("name", "path", "expected"), CASES)
def test_a_name_gives_the_fields(tmp_path, name, path, expected):
    lay_out(tmp_path, [path])
    (clip,) = scan([Source(name, tmp_path)])
    assert {field: getattr(clip, field) for field in expected} == expected
    assert clip.id.startswith(f"{name}/")


def test_every_corpus_has_its_source():
    for name, corpus in CORPORA.items():
        assert corpus.name == name
        assert corpus.homepage.startswith("http")
        assert all((corpus.title, corpus.license, corpus.form, corpus.locale))
        assert corpus.style in ("acted", "natural")


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("cafe", lambda path: unicodedata.normalize("NFD", path)),
        ("oreau02", lambda path: unicodedata.normalize("NFD", path)),
        ("emodb", str.upper),
        ("ravdess", str.upper),
        ("enterface05", str.upper),
    ],
)
def test_decomposed_accents_and_capitals_are_read(tmp_path, name, spelt):
    module = LAID_OUT[name]
    lay_out(tmp_path, {spelt(path): content for path, content in module.tree().items()})
    clips = [entry for entry in scan([Source(name, tmp_path)]) if isinstance(entry, Clip)]
    assert Counter(clip.emotion for clip in clips) == module.EMOTIONS


def test_a_folder_in_no_valid_encoding_is_read_and_can_be_written_down(tmp_path):
    # As DOS called `Colère`, unpacked by a system that assumes its own encoding.
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Col\x8are/Faible"))
    folder.mkdir(parents=True)
    (folder / "01-C-1-1.wav").touch()
    (folder / "stray.wav").touch()
    clip, stray = sorted(scan([Source("cafe", tmp_path)]), key=lambda entry: isinstance(entry, SkippedClip))
    assert (clip.emotion, clip.gender) == ("angry", "male")
    for entry in (clip, stray):
        entry.id.encode("utf-8")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    lay_out(tmp_path, ["wav/03a01Fa.wav"])
    read = os.scandir

    def forbidden(path):
        if Path(path).name == "wav":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(os, "scandir", forbidden)  # the superuser, whom tests may run as, reads everything
    with pytest.raises(ValueError, match=r"wav: .*Permission denied"):
        scan([Source("emodb", tmp_path)])


def test_a_linked_corpus_is_read_once(tmp_path):
    lay_out(tmp_path / "elsewhere", LAID_OUT["savee"].tree())
    (tmp_path / "here").mkdir()
    for link in ("one", "two"):
        (tmp_path / "here" / link).symlink_to(tmp_path / "elsewhere")
    entries = scan([Source("savee", tmp_path / "here")])
    assert Counter(type(entry) for entry in entries) == {Clip: 480, SkippedClip: 480}


def test_a_link_next_to_its_target_hides_nothing(tmp_path):
    lay_out(tmp_path, LAID_OUT["emovdb"].tree())
    (tmp_path / "a").symlink_to(tmp_path / "bea")
    clips = [entry for entry in scan([Source("emovdb", tmp_path)]) if isinstance(entry, Clip)]
    assert Counter(clip.emotion for clip in clips) == LAID_OUT["emovdb"].EMOTIONS


def test_a_link_that_leads_nowhere_is_skipped(tmp_path):
    lay_out(tmp_path, ["wav/03a01Fa.wav"])
    (tmp_path / "wav" / "03a01Wa.wav").symlink_to(tmp_path / "gone.wav")
    _, lost = sorted(scan([Source("emodb", tmp_path)]), key=lambda entry: isinstance(entry, SkippedClip))
    assert (lost.id, lost.reason) == ("emodb/wav/03a01Wa.wav", BROKEN_LINK)


def test_a_pipe_is_skipped_and_not_waited_for(tmp_path):
    lay_out(tmp_path, ["wav/03a01Fa.wav"])
    os.mkfifo(tmp_path / "wav" / "03a01Wa.wav")
    _, lost = sorted(scan([Source("emodb", tmp_path)]), key=lambda entry: isinstance(entry, SkippedClip))
    assert lost == SkippedClip("emodb/wav/03a01Wa.wav", NOT_A_FILE)


def test_no_corpus_takes_a_file_of_another(tmp_path):
    for name, module in LAID_OUT.items():
        files = module.tree()
        few = [path for path in files if files[path]] + list(files)[:: max(1, len(files) // 150)]
        lay_out(tmp_path / name, {path: files[path] for path in few})
    sister = {"esd_en": "esd_zh", "esd_zh": "esd_en"}  # one folder for both
    for name, corpus in CORPORA.items():
        clips = [entry for entry in corpus.read(tmp_path) if isinstance(entry, Clip)]
        assert clips
        assert {entry.path.relative_to(tmp_path).parts[0] for entry in clips} <= {name, sister.get(name)}, name


@pytest.mark.skipif("SER_REAL_SPEECH" not in os.environ, reason="SER_REAL_SPEECH names no folder with real speech")
@pytest.mark.parametrize(("name", "count"), [("emodb", 339), ("emovo", 392), ("ravdess", 360)])
def test_no_file_of_a_real_folder_is_skipped(name, count):
    entries = scan([Source(name, Path(os.environ["SER_REAL_SPEECH"], name))])
    assert Counter(type(entry) for entry in entries) == {Clip: count}
