import pytest

from preprocessing.corpora import CORPORA
from preprocessing.corpora.catalog import (
    LICENSE_USES,
    Found,
    allowed,
    describe_left_out,
    find_corpora,
    format_catalog,
    licenses,
    licenses_of,
    read_sources,
)
from preprocessing.corpora.scan import Source, scan_sources
from tests.support.corpora import emodb, emovo, ravdess, verbo
from tests.support.corpus_folders import lay_out

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path):
    """Four corpora, two of which have file names alike, and something else."""
    for folder, module in (("RAVDESS", ravdess), ("emo-db", emodb), ("EMOVO", emovo), ("verbo", verbo)):
        lay_out(tmp_path / folder, module.tree())
    lay_out(tmp_path / "music", ["song.wav"])
    return tmp_path


def test_all_of_table_1_is_there_in_its_order():
    paper = {name: corpus.paper_clips for name, corpus in CORPORA.items() if corpus.paper_clips is not None}
    assert len(paper) == 25
    assert sum(paper.values()) == 95_625
    assert [*paper][:3] == ["esd_en", "esd_zh", "aesdd"]
    assert [*paper][-1] == "castro"


def test_what_a_folder_holds(root):
    found = find_corpora(root)
    assert {name: (place.folder.name, place.clips) for name, place in found.items()} == {
        "ravdess": ("RAVDESS", 2452),
        "emodb": ("emo-db", 535),
        "emovo": ("EMOVO", 588),
        "verbo": ("verbo", 1176),
    }


def test_the_list_has_a_line_for_each_corpus(root):
    header, *lines = format_catalog(None).splitlines()[: 1 + len(CORPORA)]
    assert "found" not in header
    assert [line.split()[0] for line in lines] == list(CORPORA)
    lines = {
        line.split()[0]: line.split() for line in format_catalog(find_corpora(root)).splitlines()[1 : 1 + len(CORPORA)]
    }
    assert lines["emodb"][1:8] == ["535", "emo-db", "de-DE", "acted", "535", "yes", "yes"]
    assert lines["tess"][1:8] == ["0", "–", "en-US", "acted", "2,800", "no", "no"]


def test_a_license_keeps_what_allows_the_use(tmp_path):
    (tmp_path / "table.csv").touch()
    names = ["ravdess", "subesco", "iemocap", "cremad", "folder"]
    sources = [Source(name, tmp_path) for name in names] + [Source("table", tmp_path / "table.csv")]
    kept = {use: [source.name for source in allowed(sources, use)[0]] for use in LICENSE_USES}
    assert kept["commercial"] == ["subesco", "cremad", "folder", "table"]
    assert kept["redistributable"] == ["ravdess", "subesco", "cremad", "folder", "table"]
    _, left_out = allowed(sources, "commercial")
    assert [source.name for source in left_out] == ["ravdess", "iemocap"]
    line = describe_left_out(left_out[0], "commercial")
    assert all(part in line for part in ("ravdess", "commercial", "CC BY-NC-SA 4.0; https://"))


@pytest.mark.parametrize(
    ("license_name", "commercial"), [("CC BY-NC 4.0", False), ("CC BY 4.0", True), ("agreed with the studio", True)]
)
def test_own_audio_is_left_out_where_its_license_forbids_the_use(tmp_path, license_name, commercial):
    source = Source("folder", tmp_path, license=license_name)
    assert allowed([source], "redistributable") == ([source], [])
    assert allowed([source], "commercial") == (([source], []) if commercial else ([], [source]))
    assert all(part in describe_left_out(source, "commercial") for part in (tmp_path.name, license_name))


def test_nothing_that_forbids_it_is_called_commercial():
    for corpus in CORPORA.values():
        if corpus.commercial:
            assert "NC" not in corpus.license
            assert "research" not in corpus.license
            assert "non-commercial" not in corpus.license


def test_licenses_are_written_down():
    found = licenses(["ravdess", "mine"])
    assert found["ravdess"]["commercial"] is False
    assert found["ravdess"]["homepage"].startswith("https://zenodo.org")
    assert found["ravdess"]["title"] == CORPORA["ravdess"].title
    assert found["mine"] is None


def test_a_file_names_many_folders(root):
    (root / "corpora.yaml").write_text(f"ravdess: RAVDESS\nemodb: {root / 'emo-db'}\n", encoding="utf-8")
    assert read_sources(root / "corpora.yaml") == [
        Source("ravdess", root / "RAVDESS"),
        Source("emodb", root / "emo-db"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- ravdess", "YAML mapping"),
        ("ravdess: [1]", "YAML mapping"),
        ("a: b: c", "mapping values"),
        ("ravdes: RAVDESS", "'ravdes'"),
        ("ravdess: nowhere", "nowhere: .* ravdess"),
    ],
)
def test_a_file_that_is_wrong_is_refused(root, content, message):
    (root / "corpora.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_sources(root / "corpora.yaml")


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        find_corpora(tmp_path / "nowhere")


def test_a_corpus_is_found_in_the_folder_itself_and_in_parts_below_it(tmp_path):
    lay_out(tmp_path / "RAVDESS", ravdess.tree())
    assert find_corpora(tmp_path / "RAVDESS")["ravdess"] == Found(tmp_path / "RAVDESS", 2452)
    for name in ravdess.tree():
        part = "speech" if name.split("-")[1] == "01" else "song"
        lay_out(tmp_path / "parts" / part, [name])
    assert find_corpora(tmp_path / "parts")["ravdess"] == Found(tmp_path / "parts", 2452)


def test_the_reason_why_a_corpus_cannot_be_read_is_listed(tmp_path):
    lay_out(tmp_path / "CREMA-D", ["AudioWAV/1001_DFA_ANG_XX.wav"])
    found = find_corpora(tmp_path)
    assert found["cremad"].clips == 0
    assert "VideoDemographics.csv" in format_catalog(found).splitlines()[-1]


def test_a_file_describes_own_corpora(root):
    text = """
ravdess: RAVDESS
folder:
- music
- {path: emo-db, locale: de-DE, style: acted, license: CC BY 4.0}
"""
    (root / "corpora.yaml").write_text(text, encoding="utf-8")
    assert read_sources(root / "corpora.yaml") == [
        Source("ravdess", root / "RAVDESS"),
        Source("folder", root / "music"),
        Source("folder", root / "emo-db", locale="de-DE", style="acted", license="CC BY 4.0"),
    ]


@pytest.mark.parametrize(
    "entry", ["{path: music, local: de-DE}", "{locale: de-DE}", "{path: music, locale: 7}", "7", "[[music]]", "null"]
)
def test_an_own_corpus_that_is_described_otherwise_is_refused(root, entry):
    (root / "corpora.yaml").write_text(f"folder: {entry}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"corpora\.yaml, folder"):
        read_sources(root / "corpora.yaml")


def test_a_published_corpus_has_its_authors_locale(root):
    (root / "corpora.yaml").write_text("ravdess: {path: RAVDESS, locale: de-DE}", encoding="utf-8")
    with pytest.raises(ValueError, match="ravdess"):
        read_sources(root / "corpora.yaml")


def test_the_license_of_own_audio_is_written_down(tmp_path):
    lay_out(tmp_path, ["calls/happy/a.wav", "film/happy/a.wav", "wav/03a01Fa.wav"])
    sources = [Source("folder", tmp_path / "calls", license="CC BY 4.0"), Source("folder", tmp_path / "film")]
    found = licenses_of(scan_sources([*sources, Source("emodb", tmp_path / "wav")]))
    assert found["calls"]["license"] == "CC BY 4.0"
    assert found["film"] is None
    assert found["emodb"] == licenses(["emodb"])["emodb"]
