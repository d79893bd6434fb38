import pytest

from evaluation.reporting.paper import BEST
from evaluation.reporting.summary import summarize, write_summary
from tests.support.documents import bullets, numbers, prose, table_rows
from tests.support.evaluations import evaluated

pytestmark = pytest.mark.slow


def test_what_is_absent_is_named_and_not_shown_as_zero(tmp_path):
    lonely = evaluated(
        BEST,
        absent=("happy",),
        without_clips={"corpora": ["tess"], "locales": ["en-US"]},
        heads_without_labels=["arousal"],
    )
    text = write_summary([lonely], tmp_path)
    notes = text.split("## What is missing")[1]
    assert [name for name in ("corpora", "tess", "locales", "en-US", "arousal", "happy") if name not in notes] == []
    happy = next(row for row in table_rows(text, "Figure 1") if row[0] == "happy")
    assert happy[1:] == ["–", "–", "–", "0"]
    assert any("meld" in paragraph for paragraph in prose(text, "Table 3"))


def test_a_label_that_the_head_does_not_have_is_named(tmp_path):
    text = write_summary([evaluated(BEST, labels=("angry", "sad"))], tmp_path)
    assert any(numbers(note) == [40] and "happy" in note for note in bullets(text, "What is missing"))


def test_what_intervals_do_not_cover_is_noted():
    two = evaluated(BEST, speakers=2)
    assert "ci_reason" not in two.main["mean_over_corpora"]
    unknown, few = (
        [note for note in summarize([each])["notes"] if "emodb, mine" in note]
        for each in (evaluated(BEST, speakers=None), two)
    )
    assert len(unknown) == len(few) == 1
    assert ("unknown" in unknown[0], "unknown" in few[0]) == (True, False)
    assert not summarize([evaluated(BEST)])["notes"]


def test_the_report_lists_the_authors_labels_of_a_merged_class(tmp_path):
    merged = {"emodb": {"sad": {"boredom": 1081, "sadness": 62}}}
    text = write_summary([evaluated(BEST, merged_labels=merged)], tmp_path)
    assert "1,081 boredom, 62 sadness" in text
    assert "boredom" not in write_summary([evaluated(BEST)], tmp_path)


def test_a_row_that_was_not_pretrained_is_named_once():
    options = {"configuration": "c", "pretrained": False}
    seeds = [evaluated("PANN + Em", checkpoint=f"runs/{i}", seed=i, **options) for i in (1, 2)]
    (note,) = summarize([evaluated(BEST), *seeds, evaluated("x", pretrained=None)])["notes"]
    assert "random weights" in note
    assert (note.count("PANN + Em"), BEST in note) == (1, False)
    (of_all,) = summarize(seeds)["notes"]
    assert note.endswith(of_all)
