import pytest
import yaml

from evaluation.reporting.paper import BEST, SINGLE_TASK, load_paper, row_name
from modeling import ARCHITECTURES, Task
from preprocessing.corpora import CORPORA
from preprocessing.labels import EMOTIONS, LOCALES
from tests.conftest import ROOT, tiny_config

PAPER = load_paper()


def task(name):
    return Task(name, "regression", name)


def test_tables_have_the_papers_lines():
    assert len(PAPER["table2"]) == 9
    assert PAPER["table3"].keys() == {name for name, corpus in CORPORA.items() if corpus.paper_clips is not None}
    assert PAPER["table4"].keys() == set(LOCALES)
    assert PAPER["figure1"]["labels"] == list(EMOTIONS)
    assert {len(line) for line in PAPER["table3"].values()} == {len(PAPER["columns"])}
    assert {BEST, SINGLE_TASK, *PAPER["columns"]} <= PAPER["table2"].keys()


def test_figure_1_is_a_share_of_each_true_class():
    assert [sum(line) for line in PAPER["figure1"]["percent"]] == [pytest.approx(100, abs=0.2001)] * 7


def test_every_row_that_a_claim_names_is_in_table_2():
    named = {gain[side] for gain in PAPER["gains"] for side in ("better", "worse")}
    named |= {name for win in PAPER["wins"] for name in win["over"]} | {other["row"] for other in PAPER["others"]}
    assert named <= PAPER["table2"].keys()


def test_another_work_has_a_figure_or_a_ratio_and_never_both():
    assert all(("recall" in other) != ("ratio" in other) for other in PAPER["others"])


def test_a_row_is_named_as_in_table_2_whatever_the_order_of_its_tasks():
    names = ("f0_mean", "language", "emotion", "gender")
    assert row_name(tiny_config([task(name) for name in names])) == BEST
    assert row_name(tiny_config([task("emotion")])) == SINGLE_TASK


def test_a_row_that_pads_as_in_the_paper_has_another_name():
    padded = tiny_config([task("emotion")], padding="paper")
    assert row_name(padded) == "w2v (padded) + Em" != row_name(tiny_config([task("emotion")]))


def test_a_task_of_ones_own_goes_by_its_name():
    assert row_name(tiny_config([task("valence"), task("emotion")])) == "w2v + Em + valence"


def test_every_architecture_has_a_name_of_its_own():
    assert len({model.config_class().paper_name for model in ARCHITECTURES.values()} - {""}) == len(ARCHITECTURES)


BESIDE_TABLE_2 = ("w2v [4] + Em", "w2v (padded) + Em + Ge + La + F0-me")
ROWS = sorted((ROOT / "configs" / "paper" / "rows").glob("*.yaml"))


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_each_row_to_train_is_the_one_that_its_first_line_names(path):
    text = path.read_text(encoding="utf-8")
    row = yaml.safe_load(text)
    config = ARCHITECTURES[row.get("architecture", "wav2vec2")].config_class
    options = {"padding": row["padding"]} if "padding" in row else {}
    if "dense_layers" in row:
        options |= {"layer_weights": row["layers"] == ["weighted"], "dense_layers": row["dense_layers"]}
    name = row_name(config(tasks=[task(name).to_dict() for name in row["tasks"]], **options))
    assert text.startswith(f"# {name}")
    assert name in {*PAPER["table2"], *BESIDE_TABLE_2}


def test_every_row_of_table_2_is_to_be_trained():
    assert len(ROWS) == len(PAPER["table2"]) + len(BESIDE_TABLE_2)
