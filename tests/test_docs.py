"""What the pages show works as it stands there."""

import importlib
import pkgutil
import re
import shutil
import sys
import types
from operator import attrgetter
from pathlib import Path

import pytest
import torch

import preprocessing.corpora
from benchmarks.encoders import CHECKPOINTS
from modeling import ARCHITECTURES
from preprocessing.clip import Clip
from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.computed import COMPUTED
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.protocols import PROTOCOLS
from preprocessing.prepared.split_files import load_splits
from tests.conftest import ROOT, TASKS, TINY
from tests.support.corpora_totals import format_totals
from tests.support.corpus_folders import JUNK, lay_out
from tests.support.source_files import MODULES, name_of, tracked_files


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


def test_every_protocol_has_its_line_in_the_page_on_them():
    page = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    names = [f"{name}:CORPUS" if protocol.corpus_rule else name for name, protocol in PROTOCOLS.items()]
    found = re.findall(r"^\| `(\w[\w:-]*)` \|", page.partition("## Commands")[0], re.MULTILINE)
    assert found == [*names, *COMPUTED.values()]


@pytest.mark.parametrize("corpus", ["alpha", "beta"])
@pytest.mark.slow
def test_the_example_of_how_to_read_splits_elsewhere_reads_them(prepared, tmp_path, monkeypatch, corpus):
    page = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    shutil.copytree(prepared / "splits", tmp_path / "prepared/both/splits")
    monkeypatch.chdir(tmp_path)
    example = {}
    exec(compile(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], "protocols.md", "exec"), example)
    assert sorted(example["test"]) == sorted(load_prepared(prepared, "speaker")["test"]["id"])
    for family in ("loco", "cross"):
        path = f"prepared/both/splits/{family}.json"
        assert example["read_splits"](path, corpus) == load_splits(prepared, f"{family}:{corpus}")


def test_the_totals_in_the_page_on_the_paper_are_those_of_the_adapters():
    page = (ROOT / "docs" / "reproducing_the_paper.md").read_text(encoding="utf-8")
    assert f"\n\n{format_totals()}\n\n" in page


PAGES = [path for path in tracked_files() if path.suffix == ".md" and path.name != "model_card.md"]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = page.parent / path.replace("\\", "") if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


def test_every_document_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_reference_of_a_docstring_exists(path):
    """[`Name`] is a name of the module, [`~package.module.Name`] one that can be imported."""
    if path.stem == "__main__":
        return
    module = importlib.import_module(name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    missing = []
    for tilde, reference in re.findall(r"\[`(~?)([\w.]+)`\]", path.read_text(encoding="utf-8")):
        try:
            if tilde:
                pkgutil.resolve_name(reference)
            else:
                attrgetter(reference)(module)
        except (AttributeError, ImportError, ValueError):
            missing.append(reference)
    assert missing == []


def test_every_encoder_has_its_line_in_the_page_on_them():
    page = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| [^|]+ \| `([\w-]+)` \| `(\w+)` \|", page.partition("## Sizes")[0], re.MULTILINE)
    assert table == [(name, model.__name__) for name, model in ARCHITECTURES.items() if name != "panns"]
    rows = page.partition("## Sizes")[2]
    assert re.findall(r"^\| `([\w./-]+/[\w./-]+)`", rows, re.MULTILINE) == [
        checkpoint.name for checkpoint in CHECKPOINTS
    ]


def test_the_example_of_how_to_add_an_encoder_keeps_clips_apart(monkeypatch):
    page = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
    module = types.ModuleType("modeling.modeling_unispeech_ser")
    module.__package__ = "modeling"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], "unispeech.py", "exec"), vars(module))
    tasks = [task.to_dict() for task in TASKS]
    config = module.UniSpeechMultiTaskSERConfig(tasks=tasks, num_ctc_classes=8, **TINY)
    model = module.UniSpeechForMultiTaskSER(config).eval()
    values, mask = torch.randn(2, 96_000), torch.arange(96_000) < torch.tensor([[20_000], [96_000]])
    with torch.no_grad():
        alone, batch = model(values[:1, :20_000]).logits, model(values, mask.long()).logits[:1]
    torch.testing.assert_close(batch, alone, rtol=0, atol=1e-5)
