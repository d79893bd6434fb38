import json
import shutil
import unicodedata
from collections import Counter

import pytest

from preprocessing.prepared.load import count_in_no_split, load_prepared
from preprocessing.prepared.protocols import PROTOCOLS, SPLITS, Row
from preprocessing.prepared.split_files import load_protocol, load_splits, write_split_files

FAMILIES = {"loco": "left out", "cross": "only"}


def ids(splits) -> dict[str, set[str]]:
    return {split: set(clips["id"]) for split, clips in splits.items()}


def write(folder, counts: dict[str, int]) -> None:
    """Splits of corpora with this many clips, sad and angry by turns."""
    rows = [
        Row(f"{corpus}/{i}.wav", corpus, f"s{i % 5}", "male", ("sad", "angry")[i % 2], None)
        for corpus, count in counts.items()
        for i in range(count)
    ]
    write_split_files(rows, folder, seed=0)


def change(prepared, folder, name: str, **changes) -> None:
    """A copy of a prepared folder, with a changed protocol file."""
    shutil.copytree(prepared, folder)
    path = folder / f"splits/{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_the_files_have_their_rule(prepared):
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (prepared / "splits").iterdir()}
    assert files.keys() == PROTOCOLS.keys()
    assert {name: file["corpus_rule"] for name, file in files.items() if "corpus_rule" in file} == FAMILIES
    assert all(("CORPUS" in file["description"]) == (name in FAMILIES) for name, file in files.items())
    assert files["cross"]["clips"] == files["paper"]["clips"]


@pytest.mark.parametrize(("corpus", "others"), [("alpha", "beta"), ("beta", "alpha")])
def test_a_corpus_that_is_left_out_is_the_test_and_nothing_else(prepared, corpus, others):
    splits = load_prepared(prepared, f"loco:{corpus}")
    assert {split: set(clips["corpus"]) for split, clips in splits.items()} == {
        "train": {others},
        "validation": {others},
        "test": {corpus},
    }
    sizes = {split: len(clips) for split, clips in splits.items()}
    assert (sum(sizes.values()), sizes["test"]) == (96, {"alpha": 64, "beta": 32}[corpus])
    assert sizes["validation"] == pytest.approx(0.1 * (96 - sizes["test"]), abs=1)
    assert count_in_no_split(prepared, splits) == 0


@pytest.mark.parametrize("corpus", ["alpha", "beta"])
def test_one_corpus_is_trained_on_and_all_are_tested_on_the_clips_of_paper(prepared, corpus):
    splits, paper = ids(load_prepared(prepared, f"cross:{corpus}")), ids(load_prepared(prepared, "paper"))
    assert splits["test"] == paper["test"]
    for split in ("train", "validation"):
        assert splits[split] == {id_ for id_ in paper[split] if id_.startswith(f"{corpus}/")} != set()
    unused = 96 - sum(map(len, splits.values()))
    assert count_in_no_split(prepared, load_prepared(prepared, f"cross:{corpus}")) == unused > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_clip_is_where_its_rule_puts_it_in_a_folder_of_any_corpora(tmp_path, family):
    counts = {"a": 30, "b": 1, "c": 7, "ab": 200}
    write(tmp_path, counts)
    written = json.loads((tmp_path / f"splits/{family}.json").read_text(encoding="utf-8"))["clips"]
    for corpus in counts:
        splits = load_splits(tmp_path, f"{family}:{corpus}")
        assert splits.keys() == written.keys()
        for id_, split in splits.items():
            mine = id_.startswith(f"{corpus}/")
            expected = "test" if mine else written[id_]
            if family == "cross":
                expected = written[id_] if mine or written[id_] == "test" else None
            assert split == expected, (corpus, id_)
    assert Counter(splits.values()).keys() == {*SPLITS, *([None] if family == "cross" else [])}


def test_a_protocol_of_a_family_has_its_corpus(prepared):
    for name in ("paper", "paper-20", "speaker"):
        written = json.loads((prepared / f"splits/{name}.json").read_text(encoding="utf-8"))
        del written["clips"]
        assert load_protocol(prepared, name) == {**written, "family": name, "corpus": None}
    for name, rule in FAMILIES.items():
        protocol = load_protocol(prepared, f"{name}:beta")
        assert [protocol[key] for key in ("protocol", "family", "corpus", "corpus_rule", "seed")] == [
            f"{name}:beta",
            name,
            "beta",
            rule,
            0,
        ]
        assert " beta " in protocol["description"]
        assert "CORPUS" not in protocol["description"]
        assert "clips" not in protocol


def test_notes_on_a_corpus_are_kept_but_of_one_that_is_left_out(tmp_path):
    write(tmp_path, {"a": 30, "b": 1})
    (note,) = load_protocol(tmp_path, "loco:a")["notes"]
    assert note.startswith("b: ")
    assert note.endswith(": male sad (1)")
    assert load_protocol(tmp_path, "loco:b")["notes"] == []
    assert load_protocol(tmp_path, "cross:b")["notes"] == load_protocol(tmp_path, "cross:a")["notes"] == [note]


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ("loco", "'loco'.* loco:CORPUS.* alpha, beta"),
        ("cross:", "'cross'.* cross:CORPUS.* alpha, beta"),
        ("loco:gamma", "'loco'.* 'gamma'.* loco:CORPUS.* alpha, beta"),
        ("paper:alpha", "'paper'.* paper:alpha"),
        ("news:alpha", "'news'.* paper, paper-20, speaker, cross:CORPUS, loco:CORPUS"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_reason(prepared, protocol, message):
    for load in (load_prepared, load_protocol):
        with pytest.raises(ValueError, match=message):
            load(prepared, protocol)


def test_a_protocol_without_training_clips_is_refused(tmp_path):
    write(tmp_path, {"alone": 30})
    assert set(load_splits(tmp_path, "cross:alone").values()) == set(SPLITS)
    with pytest.raises(ValueError, match="loco:alone"):
        load_splits(tmp_path, "loco:alone")


def test_a_missing_protocol_is_refused_with_the_command_that_writes_it(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "old")
    (tmp_path / "old/splits/loco.json").unlink()
    with pytest.raises(ValueError, match=r"paper, .* cross:CORPUS.* prepare\.py"):
        load_prepared(tmp_path / "old", "loco:alpha")


def test_a_clip_may_be_in_no_split(prepared, tmp_path):
    clips = json.loads((prepared / "splits/paper.json").read_text(encoding="utf-8"))["clips"]
    left_out = [id_ for id_ in clips if id_.startswith("beta/")][:7]
    change(prepared, tmp_path / "copy", "paper", clips=clips | dict.fromkeys(left_out))
    splits = load_prepared(tmp_path / "copy", "paper")
    assert set().union(*ids(splits).values()) == clips.keys() - set(left_out)
    assert count_in_no_split(tmp_path / "copy", splits) == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus_rule": "twice"}, "corpus_rule .*'left out' or 'only'.*'twice'"),
        ({"clips": {"alpha/x": "dev"}}, r"loco\.json: .*train, validation, test or null.* dev"),
    ],
)
def test_a_file_of_the_users_own_with_invalid_values_is_refused(prepared, tmp_path, changes, message):
    change(prepared, tmp_path / "copy", "loco", **changes)
    with pytest.raises(ValueError, match=message):
        load_protocol(tmp_path / "copy", "loco:alpha")


def own(prepared, folder, content) -> None:
    shutil.copytree(prepared, folder)
    (folder / "splits" / "mine.json").write_text(content if isinstance(content, str) else json.dumps(content))


def clips_of(prepared) -> dict[str, str]:
    return json.loads((prepared / "splits/paper.json").read_text(encoding="utf-8"))["clips"]


def test_a_file_of_the_users_own_needs_nothing_but_the_clips(prepared, tmp_path):
    clips = clips_of(prepared)
    own(prepared, tmp_path / "copy", {"clips": clips})
    assert ids(load_prepared(tmp_path / "copy", "mine")) == ids(load_prepared(prepared, "paper"))
    protocol = load_protocol(tmp_path / "copy", "mine")
    assert protocol["notes"] == []
    assert {"description", "seed", "protocol", "family", "corpus"} <= protocol.keys()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"clips": ["alpha/x"]}, "clips"),
        ({"clips": None}, "clips"),
        ({"seed": [1]}, "seed"),
        ({"notes": "a sentence"}, "notes"),
        ({"notes": [1]}, "notes"),
        ({"description": 3}, "description"),
        ({"descripton": "x"}, "description"),
    ],
)
def test_a_file_of_the_users_own_of_another_form_is_refused_by_what_is_wrong(prepared, tmp_path, change, named):
    own(prepared, tmp_path / "copy", {"clips": clips_of(prepared), **change})
    with pytest.raises(ValueError, match=named) as error:
        load_prepared(tmp_path / "copy", "mine")
    assert "mine.json" in str(error.value)


def test_a_file_of_the_users_own_that_is_not_json_is_refused_and_hinders_no_other(prepared, tmp_path):
    own(prepared, tmp_path / "copy", "{clips:")
    with pytest.raises(ValueError, match=r"mine\.json"):
        load_prepared(tmp_path / "copy", "mine")
    with pytest.raises(ValueError, match="mine, paper"):
        load_prepared(tmp_path / "copy", "no-such")


@pytest.mark.parametrize(
    ("take", "add", "named"),
    [(2, {}, "2 clips"), (0, {"alpha/none": "train", "alpha/nil": None}, "2 ids .* alpha/nil")],
)
def test_ids_that_do_not_fit_the_folder_are_counted_and_refused(prepared, tmp_path, take, add, named):
    own(prepared, tmp_path / "copy", {"clips": dict([*clips_of(prepared).items()][take:]) | add})
    with pytest.raises(ValueError, match=named):
        load_prepared(tmp_path / "copy", "mine")


def test_an_id_is_found_by_any_spelling_of_its_accents(tmp_path):
    write(tmp_path, {"émo": 8})
    path = tmp_path / "splits/paper.json"
    path.write_text(unicodedata.normalize("NFD", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert "émo/0.wav" not in path.read_text(encoding="utf-8")
    assert set(load_splits(tmp_path, "paper")) == {f"émo/{i}.wav" for i in range(8)}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_of_the_users_own_may_have_a_byte_order_mark(tmp_path, encoding):
    write(tmp_path, {"a": 8})
    path = tmp_path / "splits/paper.json"
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert len(load_splits(tmp_path, "paper")) == 8
