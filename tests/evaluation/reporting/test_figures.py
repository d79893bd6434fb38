import re
from itertools import combinations

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from common.files import save_figure
from evaluation.metrics.bootstrap import resample
from evaluation.metrics.calibration import calibration_report
from evaluation.reporting import figures
from evaluation.reporting.comparison import in_percent
from evaluation.reporting.figures import (
    draw_confusion,
    plot_by_line,
    plot_calibration,
    plot_conditions,
    plot_confusion,
    plot_cross,
    plot_table2,
)
from evaluation.reporting.paper import load_paper

pytestmark = pytest.mark.slow

PERCENT = in_percent({"labels": ["angry", "sad", "proud"], "counts": [[3, 1, 0], [0, 0, 0], [1, 1, 0]]})
ROW = {"weighted_f1": 0.5, "weighted_f1_ci": [0.4, 0.6], "weighted_recall": 0.5, "weighted_recall_ci": [0.4, 0.6]}
NO_CI = {**ROW, "weighted_f1_ci": None, "weighted_recall_ci": None, "ci_reason": "fewer than 3 speakers (1)"}


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_visible()]


def pixels(path):
    image = matplotlib.image.imread(path)
    assert image.std() > 0.01, "the image is empty"
    return image.shape


def test_a_cell_shows_its_number_and_a_line_without_clips_is_empty():
    axes = Figure().subplots()
    draw_confusion(axes, PERCENT["percent"], PERCENT["labels"])
    assert sorted(texts(axes)) == sorted(["75.0", "25.0", "0.0", "50.0", "50.0", "0.0", "no clips"])


def test_a_missing_cell_stays_empty(saved, tmp_path):
    matrix = {"name": "w2v", "trained_on": ["a"], "tested_on": ["a", "b"], "weighted_f1": [[0.1, None]]}
    plot_cross(matrix, tmp_path / "cross.png")
    assert texts(saved[0].axes[0]) == ["10"]


def test_numbers_are_light_on_dark_cells_alone():
    axes = Figure().subplots()
    draw_confusion(axes, [[75.0, 25.0], [45.0, 55.0]], ["a", "b"])
    assert [text.get_color() for text in axes.texts] == ["white", "black", "black", "black"]


@pytest.mark.parametrize("paper", [None, load_paper()["figure1"]], ids=["alone", "compared"])
def test_confusion(paper, tmp_path):
    plot_confusion(PERCENT, "w2v + Em", tmp_path / "confusion.png", paper)
    height, width, _ = pixels(tmp_path / "confusion.png")
    assert (width > 1.5 * height) == (paper is not None)


def test_tables(tmp_path):
    lines = [
        {"name": "w2v + Em", "protocol": "paper", "ours": ROW, "paper": {"weighted_f1": 0.845}, "seeds": []},
        {"name": "mine", "protocol": "speaker", "ours": NO_CI, "paper": None, "seeds": [{"weighted_f1": 0.4}]},
    ]
    plot_table2(lines, tmp_path / "table2.png")
    pixels(tmp_path / "table2.png")
    table = {
        "metric": "weighted_recall",
        "columns": [("w2v + Em", "paper"), ("mine", "loco")],
        "groups": [0, 1],
        "lines": [
            {"name": "emodb", "ours": [ROW, None], "paper": [0.9, 0.9, 0.9]},
            # Of a mean over several checkpoints there may be no interval.
            {"name": "mine", "ours": [{"weighted_recall": 0.2}, NO_CI], "paper": [None, None, None]},
        ],
    }
    plot_by_line(table, tmp_path / "table3.png")
    pixels(tmp_path / "table3.png")


def test_cross(tmp_path):
    matrix = {
        "name": "w2v",
        "trained_on": ["a", "b"],
        "tested_on": ["a", "b"],
        "weighted_f1": [[0.9, 0.1], [None, 1.0]],
    }
    plot_cross(matrix, tmp_path / "cross.png")
    pixels(tmp_path / "cross.png")


def test_calibration(tmp_path):
    random = np.random.default_rng(0)
    resamples = resample(*np.full((2, 50), "a"))
    report = calibration_report(random.normal(size=(50, 3)), random.integers(0, 3, 50), 1.5, resamples)
    plot_calibration(report, "emotion", tmp_path / "calibration.png")
    pixels(tmp_path / "calibration.png")


LONG = "w2v + " + " + ".join(f"task_{i}" for i in range(12)) + " (" + "runs/a_long_name_of_a_folder" * 4 + ")"


@pytest.fixture
def saved(monkeypatch):
    """The figures as they are saved, and their files."""
    kept = []

    def save(figure, path):
        save_figure(figure, path)
        kept.append(figure)

    monkeypatch.setattr(figures, "save_figure", save)
    return kept


def outside(figure):
    """Texts of a figure that leave it, and panels too small to read."""
    figure.draw_without_rendering()
    size = figure.bbox
    found = []
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        is_tick = re.fullmatch(r"[\d.]*", text.get_text())  # of these there are some out of sight
        if not is_tick and min(box.x0, box.y0, size.x1 - box.x1, size.y1 - box.y1) < -3:
            found.append(text.get_text())
    return found + [axes for axes in figure.axes if min(axes.get_window_extent().size) < 40]


def unreadable(figure):
    """Names of lines and panels that overlap, or whose letters are small on a page of 9 inches."""
    figure.draw_without_rendering()
    found = []
    for texts in ([axes.title for axes in figure.axes], *(axes.get_yticklabels() for axes in figure.axes)):
        shown = [text for text in texts if text.get_visible() and text.get_text()]
        boxes = [text.get_window_extent() for text in shown]
        found += [f"{text.get_text()}: small" for text in shown if text.get_fontsize() * 9 < 5 * figure.get_figwidth()]
        pairs = combinations(zip(shown, boxes, strict=True), 2)
        found += [f"{a.get_text()}, {b.get_text()}" for (a, box), (b, other) in pairs if box.overlaps(other)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows", "corpora"), [("w2v + Em", 1, 1), (LONG, 10, 25)])
def test_every_text_can_be_read_in_a_figure_of_any_size(saved, tmp_path, name, rows, corpora):
    path = tmp_path / "figure.png"
    plot_confusion(PERCENT, f"{name}, protocol paper", path)
    plot_confusion(PERCENT, f"{name}, protocol paper", path, load_paper()["figure1"])
    labels = [f"a corpus with a long name {i}" for i in range(corpora)]
    scores = [[0.5] * len(labels)] * len(labels)
    plot_cross({"name": name, "trained_on": labels, "tested_on": labels, "weighted_f1": scores}, path)
    line = {"name": name, "protocol": "paper", "ours": ROW, "paper": None, "seeds": []}
    plot_table2([line] * rows, path)
    lines = [{"name": f"corpus {i}", "ours": [ROW] * rows, "paper": []} for i in range(corpora)]
    columns = [(name, "paper")] * rows
    plot_by_line({"metric": "weighted_f1", "columns": columns, "groups": [0] * rows, "lines": lines}, path)
    random = np.random.default_rng(0)
    resamples = resample(*np.full((2, 50), "a"))
    report = calibration_report(random.normal(size=(50, 3)), random.integers(0, 3, 50), 1.5, resamples)
    plot_calibration(report, f"emotion: {name}", path)
    conditions = {
        condition: {"mean_over_corpora": ROW, "corpora": dict.fromkeys(labels, ROW)}
        for condition in ("clean", "noise:10", "babble:10", "telephone", "mp3:32", "room", "clip", "gain:-20")
    }
    plot_conditions(conditions, "weighted_f1", name, path)
    assert {i: outside(figure) + unreadable(figure) for i, figure in enumerate(saved)} == {i: [] for i in range(7)}


def test_conditions_name_each_corpus_or_of_many_the_lowest(saved, tmp_path):
    for count in (2, 25):
        corpora = {f"corpus_{i}": {"weighted_f1": 0.9 - i / 100} for i in range(count)}
        conditions = {"clean": {"mean_over_corpora": {"weighted_f1": 0.5}, "corpora": corpora}}
        plot_conditions(conditions, "weighted_f1", "w2v", tmp_path / "conditions.png")
    few, many = ([text.get_text() for text in figure.findobj(Text)] for figure in saved)
    assert [name for name in few if name.startswith("corpus_")] == ["corpus_0", "corpus_1"]
    assert [name for name in many if name.startswith("corpus_")] == ["corpus_24"]
