import json

import pytest

from preprocessing.prepared.emobox import emobox_protocol, match_paths
from preprocessing.prepared.protocols import Row
from preprocessing.prepared.split_files import load_protocol, load_splits, num_folds, write_split_files
from tests.support.documents import numbers

SAVEE = [
    Row(f"savee/{speaker}/{emotion}{i:02}.wav", "savee", speaker, "male", name, None)
    for speaker in ("DC", "JE", "JK", "KL")
    for emotion, name in (("a", "angry"), ("sa", "sad"))
    for i in range(1, 5)
]
MELD = [Row(f"meld/train/dia{i}_utt0.mp4", "meld", f"s{i}", "male", "sad", None) for i in range(9)]


def write_fold(data, name, number, **parts):
    """A fold as EmoBox publishes it, among other files."""
    folder = data / name / f"fold_{number}"
    folder.mkdir(parents=True)
    for part, paths in parts.items():
        lines = [json.dumps({"key": str(i), "dataset": name, "wav": path, "emo": "a"}) for i, path in enumerate(paths)]
        (folder / f"{name}_{part}_fold_{number}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / f"{name}_test_fold{number}.jsonl").write_text("an older file")


def path_of(row):
    """As in EmoBox, whose copy of SAVEE has no folders."""
    return f"downloads/savee/{row.id.split('/', 1)[1].replace('/', '_')}"


@pytest.fixture
def data(tmp_path):
    """Two folds of SAVEE, the first with a speaker in training and test, and one of MELD with validation."""
    for number, tested in ((1, ("DC",)), (2, ("JE", "JK"))):
        test = [path_of(row) for row in SAVEE if row.speaker in tested]
        train = [path_of(row) for row in SAVEE if row.speaker not in tested]
        if number == 1:
            train.append(test.pop())
        write_fold(tmp_path / "data", "savee", number, train=train, test=[*test, "downloads/savee/XX_a01.wav"])
    paths = [f"downloads/meld/{row.id.removeprefix('meld/')}" for row in MELD]
    write_fold(tmp_path / "data", "meld", 1, train=paths[:5], valid=paths[5:7], test=paths[7:])
    return tmp_path / "data"


def test_the_splits_are_those_of_the_files(data):
    protocol = emobox_protocol([*SAVEE, *MELD], data, 0)
    assert {len(splits) for splits in protocol["clips"].values()} == {2}
    tested = [{id_ for id_, splits in protocol["clips"].items() if splits[fold] == "test"} for fold in (0, 1)]
    dc = sorted(row.id for row in SAVEE if row.speaker == "DC")
    assert tested[0] == {*dc[:-1], "meld/train/dia7_utt0.mp4", "meld/train/dia8_utt0.mp4"}
    assert tested[1] == {row.id for row in SAVEE if row.speaker in ("JE", "JK")}
    assert protocol["clips"][dc[-1]][0] in ("train", "validation")  # the leak is kept, for the audit to find
    assert [protocol["clips"][row.id] for row in MELD[4:8]] == [
        ["train", None],
        ["validation", None],
        ["validation", None],
        ["test", None],
    ]
    assert any(numbers(note)[:1] == [1] and "EmoBox" in note for note in protocol["notes"])


def test_it_is_a_protocol_of_folds(data, tmp_path):
    write_split_files(SAVEE, tmp_path, 0, data)
    assert num_folds(tmp_path, "emobox") == 2
    assert load_protocol(tmp_path, "emobox/2")["fold"] == 2
    assert set(load_splits(tmp_path, "emobox/1").values()) == {"train", "validation", "test"}
    with pytest.raises(ValueError, match="emobox/1"):
        load_splits(tmp_path, "emobox")
    with pytest.raises(ValueError, match="1 to 2"):
        load_splits(tmp_path, "emobox/3")


def test_a_clip_is_found_by_the_end_of_its_path():
    ids = ["esd_en/0011/Angry/0011_000351.wav", "savee/DC/a01.wav", "savee/JE/a01.wav", "c/x/1.wav"]
    paths = ["downloads/esd/0011/Angry/test/0011_000351.wav", "d/DC_a01.wav", "d/JE_A01.wav", "a/1.wav", "b/1.wav"]
    assert match_paths(ids, paths) == dict(zip(ids[:3], paths[:3], strict=True))


@pytest.mark.parametrize(("text", "named"), [("{", "jsonl"), ('{"key": "x"}', "wav"), ("[]", "jsonl")])
def test_a_file_of_another_form_is_refused(data, text, named):
    (data / "savee/fold_1/savee_test_fold_1.jsonl").write_text(text)
    with pytest.raises(ValueError, match=named):
        emobox_protocol(SAVEE, data, 0)


def test_a_folder_without_these_corpora_is_refused(data):
    with pytest.raises(ValueError, match="ravdess"):
        emobox_protocol([row._replace(corpus="ravdess") for row in SAVEE], data, 0)
    (data / "savee/fold_2/savee_test_fold_2.jsonl").unlink()
    with pytest.raises(ValueError, match="savee_test_fold_2"):
        emobox_protocol(SAVEE, data, 0)
