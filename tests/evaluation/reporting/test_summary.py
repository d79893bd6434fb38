import json

import numpy as np
import pytest

from evaluation.reporting import figures
from evaluation.reporting.metrics_json import Evaluation
from evaluation.reporting.paper import BEST, SINGLE_TASK
from evaluation.reporting.summary import row_metrics, summarize, write_summary
from tests.support.documents import bullets, prose, table_rows
from tests.support.evaluations import evaluated

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def single():
    return evaluated(SINGLE_TASK, right=0.4)


@pytest.fixture(scope="module")
def best():
    return evaluated(BEST, right=0.9)


def test_one_report_has_every_table_and_figure(single, best, tmp_path):
    text = write_summary([single, best], tmp_path)
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    named = {part.split(")")[0] for part in text.split("](")[1:] if part.startswith("figures/")}
    assert named == {f"figures/{path.name}" for path in (tmp_path / "figures").iterdir()}
    assert {"figures/table2.png", "figures/confusion.png", "figures/confusion_gender.png"} <= named
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["tables"]["table2"][1]["ours"] == best.main["mean_over_corpora"]
    for heading in ("Table 2", "Table 3", "Table 4", "Figure 1", "The paper's claims", "Other works", "Every head"):
        assert f"\n## {heading}" in text


def test_every_table_has_as_many_cells_in_each_line_as_in_its_header(single, best, tmp_path):
    text = write_summary([single, best, evaluated(BEST, protocol="cross:emodb")], tmp_path)
    widths = []
    for line in text.splitlines():
        if line.startswith("|"):
            widths.append(line.count("|"))
        elif widths:
            assert len(set(widths)) == 1, line
            widths = []


def test_figures_of_the_tables_are_those_of_the_metrics(single, best, tmp_path):
    text = write_summary([single, best], tmp_path)
    _, first, second = table_rows(text, "Table 2")
    mean = best.main["mean_over_corpora"]
    low, high = mean["weighted_f1_ci"]
    assert second[1:3] == [BEST, f"**{mean['weighted_f1']:.3f}** ({low:.3f}–{high:.3f})"]
    assert first[2].startswith(f"{single.main['mean_over_corpora']['weighted_f1']:.3f} (")
    assert second[5] == "0.860 / 0.862 / 0.870"
    difference = mean["weighted_f1"] - single.main["mean_over_corpora"]["weighted_f1"]
    assert second[6].startswith(f"{difference:+.3f} (")
    assert first[6] == "–"
    emodb, mine = table_rows(text, "Table 3")[1:]
    assert emodb[0] == "emodb"
    assert emodb[2].startswith(f"**{best.main['corpora']['emodb']['weighted_recall']:.3f}**")
    assert emodb[-3:] == ["0.907", "0.953", "0.963"]
    assert mine[-3:] == ["–", "–", "–"]


def test_clips_seen_in_training_are_shown_in_bold(tmp_path):
    text = write_summary([evaluated(BEST, num_clips_seen_in_training=7)], tmp_path)
    assert "**7: " in text


def test_protocols_are_shown_side_by_side(best, tmp_path):
    other = evaluated(BEST, right=0.5, protocol="speaker", corpora=("mine", "emodb", "tess"))
    text = write_summary([best, other], tmp_path)
    assert "**0." not in text  # models on different clips are not ranked
    _, *rows = table_rows(text, "Table 2")
    assert [row[2] for row in rows] == ["paper", "speaker"]
    assert table_rows(text, "Table 3")[0][1:3] == [f"{BEST} · paper", f"{BEST} · speaker"]
    clips = {row[0]: row[3] for row in table_rows(text, "Table 3")[1:]}
    assert clips == {"emodb": "60", "mine": "60", "tess": "– / 60"}
    (described,) = [paragraph for paragraph in prose(text, "Evaluation") if "`speaker`" in paragraph]
    assert all(part in described for part in ("seed 0", "divided by speaker"))


def test_one_name_twice_under_a_protocol_is_distinguished_by_the_checkpoint(best):
    other = evaluated(BEST, checkpoint="runs/other")
    names = [line["name"] for line in summarize([best, other])["tables"]["table2"]]
    assert names == [f"{BEST} (runs/{BEST})", f"{BEST} (runs/other)"]


def test_models_that_each_leave_a_corpus_out_are_one_line(tmp_path):
    parts = [
        evaluated(BEST, right=share, protocol=f"loco:{name}", corpora=(name,))
        for name, share in (("emodb", 0.9), ("mine", 0.3))
    ]
    summary = summarize(parts)
    (line,) = summary["tables"]["table2"]
    f1 = [part.main["corpora"][name]["weighted_f1"] for part, name in zip(parts, ("emodb", "mine"), strict=True)]
    assert line["ours"]["weighted_f1"] == pytest.approx(np.mean(f1))
    assert line["ours"]["corpora"] == ["emodb", "mine"]
    low, high = line["ours"]["weighted_f1_ci"]
    assert low < line["ours"]["weighted_f1"] < high
    assert line["protocol"] == "loco"
    assert all("weighted_f1_ci" in row["ours"][0] for row in summary["tables"]["table4"]["lines"])
    assert summary["tables"]["figure1"]["clips"] == [40, 40, 40]
    assert "loco:mine" in write_summary(parts, tmp_path)


def test_figures_are_of_the_protocol_that_the_tables_are_of(single, best, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(figures, "plot_calibration", lambda task, title, path: titles.append(title))
    write_summary([evaluated(BEST, protocol="speaker"), best, single], tmp_path)
    assert titles == [f"{head}: {BEST}, protocol paper" for head in ("emotion", "gender")]


def test_a_baseline_is_shown_below_table_2(best, tmp_path):
    baseline = {**evaluated(SINGLE_TASK, right=0.2).main, "num_training_clips": 1200}
    text = write_summary(
        [Evaluation({**best.report, "baseline": baseline}, best.resampled_means, best.clips)], tmp_path
    )
    f1 = baseline["mean_over_corpora"]["weighted_f1"]
    baseline_text = text.split("The baseline", 1)[1].split("\n\n")[0]
    assert "1,200 clips" in baseline_text
    assert f"{f1:.3f} (" in baseline_text


def test_figures_of_others_are_left_alone(best, tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mine.png").write_bytes(b"")
    text = write_summary([best], tmp_path)
    assert (tmp_path / "figures" / "mine.png").is_file()
    assert "mine.png" not in text


def test_models_that_were_each_trained_on_one_corpus_are_a_matrix(tmp_path):
    parts = [evaluated(BEST, right=share, protocol=f"cross:{name}") for name, share in (("mine", 0.9), ("emodb", 0.3))]
    text = write_summary(parts, tmp_path)
    header, _, mine = table_rows(text, "Across corpora")
    assert header[1:] == ["emodb", "mine"]
    assert mine == ["mine", *(f"{parts[0].main['corpora'][name]['weighted_f1']:.3f}" for name in ("emodb", "mine"))]
    assert "\n## Table 2" not in text
    assert (tmp_path / "figures" / "cross_1.png").is_file()
    nothing = {**parts[0].report["tasks"], "emotion": {"kind": "classification", "clips": 0}}
    report = {**parts[0].report, "tasks": nothing}
    assert summarize([Evaluation(report, {}, frozenset()), parts[1]])["cross"][0]["trained_on"] == ["emodb"]


def test_a_regression_alone_has_no_table_of_classes_and_the_other_heads_have_theirs(best, tmp_path):
    report = {**best.report, "main_task": "f0_mean"}
    text = write_summary([Evaluation(report, {}, best.clips)], tmp_path)
    assert "\n## Table 2" not in text
    assert table_rows(text, "Every head")[-1][2].startswith("MAE")
    assert table_rows(text, "Confidence")[1][1] == "emotion"
    for name in ("confusion_emotion", "confusion_gender", "calibration_gender"):
        assert f"](figures/{name}.png)" in text


def test_clips_without_a_label_of_the_main_task_leave_no_table(best, tmp_path):
    tasks = {**best.report["tasks"], "emotion": {"kind": "classification", "clips": 0}}
    text = write_summary([Evaluation({**best.report, "tasks": tasks}, {}, best.clips)], tmp_path)
    assert any("emotion" in note for note in bullets(text, "What is missing"))
    assert "\n## Table 2" not in text


def seeds(row=BEST, configuration="c", numbers=(0, 1, 2), **options):
    return [
        evaluated(
            row, variant=i + 1, checkpoint=f"runs/{configuration}{i}", seed=i, configuration=configuration, **options
        )
        for i in numbers
    ]


def test_seeds_of_one_training_are_one_row_with_their_mean_and_deviation(single, tmp_path):
    members = seeds()
    summary = summarize([single, *members])
    first, row = summary["tables"]["table2"]
    assert row["name"] == f"{BEST}, 3 seeds"
    f1 = [member.main["mean_over_corpora"]["weighted_f1"] for member in members]
    assert row["ours"]["weighted_f1"] == pytest.approx(np.mean(f1))
    assert row["ours"]["weighted_f1_sd"] == pytest.approx(np.std(f1, ddof=1))
    assert [(seed["seed"], seed["checkpoint"]) for seed in row["seeds"]] == [(i, f"runs/c{i}") for i in range(3)]
    assert [seed["weighted_f1"] for seed in row["seeds"]] == f1
    assert row["difference"]["difference"] == pytest.approx(np.mean(f1) - first["ours"]["weighted_f1"])
    (emodb, _) = summary["tables"]["table3"]["lines"]
    recall = [member.main["corpora"]["emodb"]["weighted_recall"] for member in members]
    assert emodb["ours"][1]["weighted_recall_sd"] == pytest.approx(np.std(recall, ddof=1))
    assert summary["tables"]["figure1"]["clips"] == [40, 40, 40]
    assert [model["seed"] for model in summary["models"]] == [None, 0, 1, 2]
    text = write_summary([single, *members], tmp_path)
    cells = table_rows(text, "Table 2")
    assert f"{np.mean(f1):.3f}** ± {np.std(f1, ddof=1):.3f} (" in cells[2][2]
    assert sum(row[1] in "012" and row[2].startswith("`runs/c") for row in cells) == 3


def test_rows_of_seeds_are_compared_over_seeds_too_and_a_single_seed_is_named(tmp_path):
    rows = [*seeds(right=0.7), *seeds("w2v + Em + Ge", "d", (4, 5), right=0.7), *seeds("w2v + Em", "e", (3,))]
    summary = summarize(rows)
    ours, other, once = summary["tables"]["table2"]
    assert other["difference"]["ci"][0] < 0 < other["difference"]["ci"][1]  # seeds differ by as much as the rows
    assert [line["trained_once"] for line in (ours, other, once)] == [False, False, True]
    (emodb, _) = summary["tables"]["table3"]["lines"]
    low, high = emodb["ours"][0]["weighted_recall_ci"]
    assert low < emodb["ours"][0]["weighted_recall"] < high
    text = write_summary(rows, tmp_path)
    assert [line["name"] for line in (ours, other, once) if f"{line['name']}." in "".join(prose(text, "Table 2"))] == [
        once["name"]
    ]


def test_seeds_of_models_that_each_leave_a_corpus_out_are_one_line():
    members = [
        evaluated(
            BEST, variant=seed, protocol=f"loco:{name}", corpora=(name,), seed=seed, configuration=name,
            checkpoint=f"runs/{name}/{seed}", model=f"runs/{name}",
        )
        for name in ("emodb", "mine")
        for seed in (1, 2)
    ]  # fmt: skip
    (line,) = summarize(members)["tables"]["table2"]
    assert line["ours"]["corpora"] == ["emodb", "mine"]
    assert [seed["seed"] for seed in line["seeds"]] == [1, 2]
    f1 = [[member.main["mean_over_corpora"]["weighted_f1"] for member in members[i::2]] for i in (0, 1)]
    assert [seed["weighted_f1"] for seed in line["seeds"]] == pytest.approx(np.mean(f1, axis=1))


def test_folds_are_shown_with_their_mean_and_deviation(tmp_path):
    scores = {
        "folds": [{"weighted_f1": 0.5, "fold": 1, "clips": 3}, {"weighted_f1": 0.7, "fold": 2, "clips": 4}],
        "mean": {"weighted_f1": 0.6},
        "sd": {"weighted_f1": 0.1414},
    }
    members = seeds(over_folds=scores, protocol="folds:2")
    text = write_summary(members, tmp_path)
    assert table_rows(text, "Folds")[1] == [f"{BEST}, 3 seeds", "0", "0.600 ± 0.141", "0.500, 0.700"]
    summary = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [training["seed"] for training in row_metrics(summary, "runs/c0")["folds"]] == [0, 1, 2]


def test_two_rows_of_seeds_are_compared_and_their_seeds_are_not():
    lines = summarize([*seeds(right=0.9), *seeds("w2v + Em + Ge", "d", (0, 1), right=0.5)])["tables"]["table2"]
    assert [line["name"] for line in lines] == [f"{BEST}, 3 seeds", "w2v + Em + Ge, 2 seeds"]
    assert [line["difference"] is None for line in lines] == [True, False]


def test_what_differs_in_more_than_the_seed_is_another_model(single):
    others = [*seeds(), evaluated(BEST, checkpoint="runs/other", seed=7, configuration="else")]
    names = [line["name"] for line in summarize(others)["tables"]["table2"]]
    assert names == [f"{BEST} (runs/c0), 3 seeds", f"{BEST} (runs/other)"]
    again = [evaluated(BEST, checkpoint=f"runs/{i}", seed=0, configuration="c") for i in range(2)]
    assert len(summarize(again)["tables"]["table2"]) == 2  # one seed twice is not a repetition with another seed
    unknown = [evaluated(BEST, checkpoint=f"runs/{i}", seed=i) for i in range(2)]
    assert len(summarize(unknown)["tables"]["table2"]) == 2


def test_the_others_are_compared_with_the_reference(single, best):
    lines = summarize([single, best], best.report["checkpoint"])["tables"]["table2"]
    assert [line["reference"] for line in lines] == [2, 2]


def test_one_speaker_has_no_interval_and_the_report_has_the_reason(tmp_path):
    both = [evaluated(row, speakers=1, corpora=("mine",)) for row in ("w2v + Em + Ge", "w2v + Em + La")]
    text = write_summary(both, tmp_path)
    for heading in ("Table 2", "Table 3", "Table 4", "Every head", "By group"):
        assert "fewer than 3 speakers (1)" in str(table_rows(text, heading)), heading
    assert "–0." not in text.split("## Confidence")[0]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    line = report["tables"]["table2"][1]
    assert line["ours"]["weighted_f1_ci"] is line["difference"]["ci"] is line["difference"]["p"] is None


def test_a_report_on_other_corpora_than_the_papers_does_not_show_the_papers(tmp_path):
    text = write_summary([evaluated("w2v + Em + arousal", corpora=("mine",), protocol="speaker")], tmp_path)
    assert "paper" not in text
    assert "\n## Other works" not in text
    assert "\n## The paper's claims" not in text
