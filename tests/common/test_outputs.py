import json

import pytest

from common.outputs import RECORD, check_new, check_outputs, claim_outputs

NAMES = ("report.json", "figures")


def test_what_a_command_wrote_it_may_write_again(tmp_path):
    claim_outputs(tmp_path / "new", NAMES, "evaluate.py")
    (tmp_path / "new" / "figures").mkdir()
    (tmp_path / "new" / "report.json").write_text("{}")
    (tmp_path / "new" / "notes.txt").write_text("mine")
    claim_outputs(tmp_path / "new", NAMES, "evaluate.py")


@pytest.mark.parametrize("record", ["", "\0\0\0\0", "[]", '{"report.json": "prepare.py"}'])
def test_files_of_others_are_replaced_only_on_request(tmp_path, record):
    (tmp_path / "report.json").write_text("mine")
    if record:
        (tmp_path / RECORD).write_text(record)
    with pytest.raises(ValueError, match=r"report\.json.*--overwrite"):
        check_outputs(tmp_path, NAMES, "evaluate.py")
    check_outputs(tmp_path, NAMES, "evaluate.py", overwrite=True)
    check_outputs(tmp_path, ("other.json",), "evaluate.py")


def test_several_commands_have_their_own(tmp_path):
    claim_outputs(tmp_path, NAMES, "evaluate.py")
    claim_outputs(tmp_path, ("clips",), "prepare.py")
    record = json.loads((tmp_path / RECORD).read_text())
    assert record == {"clips": "prepare.py", "figures": "evaluate.py", "report.json": "evaluate.py"}


def test_an_existing_file_is_not_replaced(tmp_path):
    check_new([tmp_path / "new.csv"])
    (tmp_path / "mine.csv").touch()
    with pytest.raises(ValueError, match=r"mine\.csv .*--overwrite"):
        check_new([tmp_path / "new.csv", tmp_path / "mine.csv"])
    check_new([tmp_path / "mine.csv"], overwrite=True)
    with pytest.raises(ValueError, match="folder"):
        check_new([tmp_path], overwrite=True)
