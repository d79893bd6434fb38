import os
from pathlib import Path

from publishing.staging import staging_folder


def test_it_is_beside_the_source_where_weights_can_be_linked_and_gone_afterwards(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights").write_text("w")
    with staging_folder(tmp_path / "run") as folder:
        assert Path(folder).parent == tmp_path
        os.link(tmp_path / "run" / "weights", Path(folder, "weights"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "weights").read_text() == "w"


def test_it_is_elsewhere_where_nothing_may_be_written_or_there_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with staging_folder(Path("team/ser")) as folder:  # a Hub id
        assert Path(folder).is_dir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with staging_folder(tmp_path / "run") as folder:
        assert Path(folder).parent != tmp_path
    assert [*tmp_path.iterdir()] == []
