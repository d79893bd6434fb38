import json
import re

import pyarrow.parquet
import pytest
import yaml
from datasets import Audio, DatasetDict, load_dataset

from preprocessing.corpora.catalog import licenses
from preprocessing.corpora.own_arguments import stated_license
from preprocessing.prepared.load import load_prepared
from publishing import dataset
from publishing.dataset import License, export_dataset, read_licenses
from tests.support.loopback_hub import card_data, mistakes

LICENSES = {
    "alpha": License(license="CC BY 4.0", homepage="https://alpha.org"),
    "beta": License(license="CC0", homepage=""),
}


def report(folder, *corpora, **settings):
    """A prepared folder's report on some corpora."""
    settings = {"licenses": licenses(corpora), **settings}
    kept = {name: {"kept": 3} for name in corpora} | {"empty": {"kept": 0}}
    (folder / "report.json").write_text(json.dumps({"corpora": kept, "settings": settings}))
    return folder


def test_a_corpus_that_may_be_redistributed_has_its_license(tmp_path):
    found = read_licenses(report(tmp_path, "ravdess", "cremad"), None)
    assert [*found] == ["ravdess", "cremad"]
    assert "CC BY-NC-SA 4.0" in found["ravdess"]["license"]
    assert all(entry["homepage"].startswith("https://") for entry in found.values())


def test_a_closed_corpus_is_refused_by_name_and_license(tmp_path):
    closed = licenses(["iemocap"])["iemocap"]
    with pytest.raises(ValueError, match="iemocap") as error:
        read_licenses(report(tmp_path, "ravdess", "iemocap", "mine"), "CC0")
    assert f"iemocap ({closed['license']}, {closed['homepage']})" in str(error.value)
    assert "ravdess" not in str(error.value)


def test_the_user_states_the_license_of_own_audio(tmp_path):
    report(tmp_path, "mine", "ravdess")
    with pytest.raises(ValueError, match=r"mine.*--license"):
        read_licenses(tmp_path, None)
    found = read_licenses(tmp_path, "CC0")
    assert found["mine"] == {"license": "CC0", "homepage": ""}
    assert found["ravdess"] == read_licenses(report(tmp_path, "ravdess"), None)["ravdess"]
    with pytest.raises(ValueError, match="--license"):
        read_licenses(tmp_path, "CC0")


def test_a_folder_without_licenses_is_refused(tmp_path):
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        read_licenses(tmp_path, None)
    with pytest.raises(ValueError, match="ravdess"):
        read_licenses(report(tmp_path, "ravdess", licenses={}), "CC0")


@pytest.fixture
def files_of_40(monkeypatch):
    monkeypatch.setattr(dataset, "CLIPS_PER_FILE", 40)


@pytest.fixture(scope="module")
def exported(_splits, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CLIPS_PER_FILE", 40)
        return export_dataset(_splits, LICENSES, "paper", tmp_path_factory.mktemp("exported"), "team/speech")


@pytest.fixture
def few(splits):
    """Three clips of each split."""
    return DatasetDict({name: clips.select(range(3)) for name, clips in splits.items()})


def test_the_files_hold_the_clips_and_their_sound(exported, splits):
    folder = exported[0].parent
    names = [file.relative_to(folder).as_posix() for file in exported]
    assert names[:3] == ["README.md", "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]
    assert {*exported} == {path for path in folder.rglob("*") if path.is_file()}
    stored = [pyarrow.parquet.read_table(file) for file in exported if "/train-" in file.as_posix()]
    assert [id_ for part in stored for id_ in part["id"].to_pylist()] == splits["train"]["id"][:]
    assert stored[0]["audio"][0].as_py() == splits["train"][0]["audio"]
    assert "row" not in stored[0].column_names


def test_the_client_reads_it_as_splits_of_sound(exported, splits, tmp_path):
    read = load_dataset(str(exported[0].parent), cache_dir=str(tmp_path / "cache"))
    assert {name: len(clips) for name, clips in read.items()} == {name: len(clips) for name, clips in splits.items()}
    assert read["test"].features["audio"] == Audio(sampling_rate=16_000)
    assert read["test"]["emotion"][:] == splits["test"]["emotion"][:]


def test_the_same_clips_are_the_same_bytes(exported, files_of_40, prepared, tmp_path):
    again = export_dataset(load_prepared(prepared, "paper"), LICENSES, "paper", tmp_path, "team/speech")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in exported]


def test_a_locale_without_a_language_is_not_in_the_metadata(few, tmp_path):
    def called(name):
        return lambda row: {"locale": name}

    splits = few.map(called("swiss"))
    splits["train"] = splits["train"].map(called("gsw-CH"))
    for folder, expected in (("some", ["gsw"]), ("none", None)):
        (tmp_path / folder).mkdir()
        card = export_dataset(splits, LICENSES, "paper", tmp_path / folder, "team/speech")[0].read_text()
        assert card_data(card).get("language") == expected
        assert [*mistakes(card_data(card))] == []
        splits["train"] = splits["test"]


def test_the_card_lists_the_corpora(exported, splits):
    text = exported[0].read_text(encoding="utf-8")
    head, body = re.match(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL).groups()
    metadata = yaml.safe_load(head)
    assert metadata["language"] == ["de", "pl"]
    assert (metadata["license"], metadata["task_categories"]) == ("other", ["audio-classification"])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line.startswith("|")]
    counts = [str(clips["corpus"][:].count("alpha")) for clips in splits.values()]
    assert ["alpha", *counts, "CC BY 4.0", "https://alpha.org"] in rows
    assert [row[-2:] for row in rows if row[0] == "beta"] == [["CC0", "–"]]
    assert 'load_dataset("team/speech")' in body
    assert "protocol `paper`" in body


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"alpha": "CC BY-NC-SA 4.0"}, "cc-by-nc-sa-4.0"),
        ({"alpha": "CC BY 4.0", "beta": "cc-by-4.0"}, "cc-by-4.0"),
        ({"alpha": "CC BY 4.0", "beta": "CC0"}, "other"),
        ({"alpha": "of our own"}, "other"),
    ],
)
def test_the_license_that_all_corpora_have_is_the_data_sets(few, tmp_path, names, expected):
    found = {name: License(license=license, homepage="") for name, license in names.items()}
    card, *_ = export_dataset(few, found, "paper", tmp_path, "team/speech")
    assert card_data(card.read_text(encoding="utf-8"))["license"] == expected
    assert [*mistakes(card_data(card.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "content", ["{", "[]", "7", '{"models": [], "figures": []}', '{"corpora": [], "settings": {}}']
)
def test_a_run_is_not_taken_for_a_prepared_folder(tmp_path, content):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ValueError, match=r"prepare\.py"):
        read_licenses(tmp_path, None)


def test_a_license_stated_to_prepare_need_not_be_stated_again(tmp_path):
    def stated(name):
        return report(tmp_path, "mine", licenses={"mine": stated_license(name)})

    assert read_licenses(stated("CC BY 4.0"), None)["mine"] == {"license": "CC BY 4.0", "homepage": ""}
    assert read_licenses(stated("CC BY 4.0"), "CC0")["mine"]["license"] == "CC0"
    with pytest.raises(ValueError, match="mine"):
        read_licenses(stated("ours alone"), None)
