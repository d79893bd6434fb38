"""What the pages show works as it stands there."""

import re

import preprocessing.corpora
from preprocessing.clip import Clip
from preprocessing.scan import Source, scan
from tests.conftest import ROOT
from tests.preprocessing.test_corpora import JUNK, lay_out


def test_the_example_of_how_to_add_a_corpus_reads_it(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "adding_a_corpus.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    module = {"__name__": "preprocessing.corpora.nemo", "__package__": "preprocessing.corpora"}
    exec(compile(code, "nemo.py", "exec"), module)
    monkeypatch.setitem(preprocessing.corpora.CORPORA, "nemo", module["CORPUS"])
    lay_out(tmp_path, {"samples/EB0_anger_13.wav": "", "samples/KS0_surprised_10.wav": "", "samples/x.wav": ""} | JUNK)
    first, second, other = scan([Source("nemo", tmp_path)])
    assert (first.id, first.emotion, first.speaker) == ("nemo/samples/EB0_anger_13.wav", "angry", "EB0")
    assert (second.emotion, second.sentence, second.locale) == ("surprise", "10", "pl-PL")
    assert not isinstance(other, Clip)
