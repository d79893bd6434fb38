import json
import shutil

import pytest

from preprocessing.clip import Clip
from preprocessing.prepared.load import count_in_no_split, load_prepared, load_tested
from preprocessing.prepared.parts import FORMAT
from preprocessing.prepared.protocols import SPLITS
from preprocessing.prepared.table import load_report, load_table


def contents(folder) -> dict:
    return {split: rows[:] for split, rows in load_prepared(folder, "paper").items()}


@pytest.mark.parametrize("protocol", ["paper", "paper-20", "speaker"])
def test_a_prepared_folder_gives_disjoint_and_complete_splits(prepared, protocol):
    splits = load_prepared(prepared, protocol)
    assert list(splits) == list(SPLITS)
    assert sorted(row for rows in splits.values() for row in rows["row"]) == list(range(96))
    assert len({id_ for rows in splits.values() for id_ in rows["id"]}) == 96
    of_clip = json.loads((prepared / f"splits/{protocol}.json").read_text())["clips"]
    assert {id_: split for split, rows in splits.items() for id_ in rows["id"]} == of_clip


def test_the_columns_are_the_contracts(splits):
    measured = {"duration_s", "f0_mean", "f0_std", "energy_mean", "energy_std", "voiced_ratio"}
    measured |= {"energy_mean_normalized", "energy_std_normalized"}
    columns = splits["train"].features
    fields = Clip.__dataclass_fields__.keys() - {"extra", "embedded"}
    assert columns.keys() == fields | measured | {"audio", "scale", "row", "valence", "recorded"}
    assert (columns["valence"].dtype, columns["recorded"].dtype) == ("float64", "string")


def test_the_folder_can_be_moved(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert contents(tmp_path / "there") == contents(prepared)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("report", None, r"copy .*report\.json.*prepare\.py"),
        ("splits/paper", None, "'paper'.* paper-20, speaker"),
        ("report", lambda report: report.update(format=0), rf"format 0.* format {FORMAT}"),
        ("report", lambda report: report.update(format=3), r"python prepare\.py .*--output \S*copy\b"),
        ("splits/paper", lambda splits: splits["clips"].popitem(), r"paper\.json: 1 clips .* such as \w+/wav/"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(prepared, tmp_path, file, change, message):
    shutil.copytree(prepared, tmp_path / "copy")
    path = tmp_path / f"copy/{file}.json"
    content = json.loads(path.read_text())
    path.unlink()
    if change:
        change(content)
        path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        load_prepared(tmp_path / "copy", "paper")


def test_a_missing_part_and_a_damaged_one_are_refused(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    part = tmp_path / "copy/clips" / load_report(prepared)["parts"][0]
    (part / "table/dataset_info.json").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="copy"):
        load_prepared(tmp_path / "copy", "paper")
    shutil.rmtree(part)
    with pytest.raises(ValueError, match=r"copy .*prepare\.py"):
        load_prepared(tmp_path / "copy", "paper")


def test_every_clip_of_the_paper_protocol_is_in_a_split(prepared):
    splits = load_prepared(prepared, "paper")
    assert count_in_no_split(prepared, splits) == 0
    del splits["test"]
    assert count_in_no_split(prepared, splits) > 0


def test_what_a_protocol_tests(prepared, tmp_path):
    assert load_tested(prepared, "speaker")["id"][:] == load_prepared(prepared, "speaker")["test"]["id"][:]
    everything = load_table(prepared)["id"][:]
    assert load_tested(prepared, "folds:2")["id"][:] == everything
    shutil.copytree(prepared, tmp_path / "copy")
    splits = {id_: [("test", "train")[i % 2], (None, "test", "train")[i % 3]] for i, id_ in enumerate(everything)}
    splits = {id_: found if found != ["test", "test"] else ["test", None] for id_, found in splits.items()}
    (tmp_path / "copy/splits/mine.json").write_text(json.dumps({"clips": splits}))
    tested = [id_ for id_ in everything if "test" in splits[id_]]
    assert load_tested(tmp_path / "copy", "mine")["id"][:] == tested
    for protocol, split in (("folds:2", "train"), ("loco:alpha", "nothing")):
        with pytest.raises(ValueError, match=protocol):
            load_tested(prepared, protocol, split)


@pytest.mark.parametrize(
    "lists", [[["test"], ["test", "train"]], [["test", "test"]] * 2, [[], []], [["test"], "train"]]
)
def test_lists_that_are_not_folds_are_refused(prepared, tmp_path, lists):
    shutil.copytree(prepared, tmp_path / "copy")
    splits = {id_: lists[i % 2] for i, id_ in enumerate(load_table(prepared)["id"][:])}
    (tmp_path / "copy/splits/mine.json").write_text(json.dumps({"clips": splits}))
    with pytest.raises(ValueError, match=r"mine\.json"):
        load_prepared(tmp_path / "copy", "mine/1")
