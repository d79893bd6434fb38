import pytest
import soundfile

from inference.web import examples
from inference.web.examples import EXAMPLES, write_examples


def test_examples_are_spoken(tmp_path):
    pytest.importorskip("espeakng_loader")
    files = write_examples(tmp_path)
    assert {*files} == {*EXAMPLES}
    seconds = {title: soundfile.info(path).duration for title, path in files.items()}
    for title, lines in EXAMPLES.items():
        assert 1.2 * len(lines) < seconds[title] < 4 * len(lines)


def test_without_espeak_examples_are_missing(tmp_path, monkeypatch):
    def fail():
        raise ImportError("no eSpeak NG")

    monkeypatch.setattr(examples, "Espeak", fail)
    assert write_examples(tmp_path) == {}
    assert [*tmp_path.iterdir()] == []
