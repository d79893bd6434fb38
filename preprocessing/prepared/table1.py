"""Table 1 of the paper for a prepared folder: clips per corpus, emotion, gender and locale, and the paper's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.files import save_figure, write_json, write_text
from common.text_tables import format_table

from ..corpora import CORPORA, Corpus
from ..labels import EMOTIONS, GENDERS, LOCALES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Report = Mapping[str, Any]  # a part of `report.json` or of `table1.json`

TABLE_1 = ("table1.json", "table1.txt", "table1.png")  # the files in a prepared folder

# Sharma 2022, table 1: mean duration in seconds. The numbers of clips are in the modules of the corpora.
PAPER_DURATION_S = {
    "esd_en": 2.76,
    "esd_zh": 3.22,
    "aesdd": 4.10,
    "cremad": 2.54,
    "savee": 3.84,
    "tess": 2.06,
    "ravdess": 4.09,
    "iemocap": 4.56,
    "emodb": 2.78,
    "meld": 3.27,
    "urdu": 2.50,
    "emovo": 3.12,
    "shemo": 4.12,
    "emovdb": 4.67,
    "subesco": 4.03,
    "pavoque": 5.76,
    "adept": 1.95,
    "enterface05": 2.58,
    "cafe": 4.44,
    "jl": 2.09,
    "oreau02": 2.78,
    "verbo": 2.40,
    "mesd": 0.72,
    "polish": 0.84,
    "castro": 1.46,
}
# Section 3.
PAPER_TOTALS = {
    "emotion": dict(zip(EMOTIONS, (18_598, 4_769, 4_651, 17_524, 24_225, 14_590, 11_268), strict=True)),
    "gender": dict(zip(GENDERS, (45_808, 49_817), strict=True)),
    "locale": dict(
        zip(LOCALES, (7000, 5402, 604, 57_343, 436, 2992, 1370, 588, 448, 1174, 368, 400, 17_500), strict=True)
    ),
}


def build_table1(report: Report) -> dict[str, Any]:
    """Table 1 of a preparation.

    Args:
        report: `report.json` of a prepared folder.

    Returns:
        `corpora`: a row for each prepared corpus, with `locale`, `mean_duration_s`, `clips`, `style`, and, for those of
        the paper, `paper_duration_s`, `paper_clips`, `difference` and `reason` (why it differs, where that is known);
        `totals`: `clips` and `paper` for each emotion, gender and locale; `clips`, the total, and `paper_clips`, the
        total of the same corpora in the paper.
    """
    settings = report.get("settings", {})
    as_paper = settings.get("label_rules", "paper") == "paper" and settings.get("min_duration_s", 0.5) == 0.5
    rows = {name: _row(name, corpus, as_paper) for name, corpus in report["corpora"].items() if corpus["kept"]}
    totals = {}
    for column, paper in PAPER_TOTALS.items():
        counts: Counter[str] = Counter()
        for name in rows:
            counts.update(report["corpora"][name][column])
        totals[column] = {value: {"clips": counts[value], "paper": paper.get(value)} for value in {**paper, **counts}}
    return {
        "corpora": rows,
        "totals": totals,
        "clips": sum(row["clips"] for row in rows.values()),
        "paper_clips": sum(row["paper_clips"] or 0 for row in rows.values()),
    }


def _row(name: str, prepared: Report, as_paper: bool) -> dict[str, Any]:
    known = CORPORA.get(name)
    paper_clips = known.paper_clips if known else None
    difference = None if paper_clips is None else prepared["kept"] - paper_clips
    return {
        "title": known.title if known else name,
        "locale": ", ".join(prepared["locale"]),
        "style": known.style if known else None,
        "mean_duration_s": prepared["mean_duration_s"],
        "paper_duration_s": PAPER_DURATION_S.get(name),
        "clips": prepared["kept"],
        "paper_clips": paper_clips,
        "difference": difference,
        "reason": _reason(known, prepared, as_paper) if known and difference else "",
    }


def _reason(corpus: Corpus, prepared: Report, as_paper: bool) -> str:
    """Why the number of clips differs from the paper's: first what this preparation lacks, then what the paper does."""
    complete = corpus.complete_clips or (None if corpus.paper_differs else corpus.paper_clips)
    kept = prepared["kept"]
    if complete is None and corpus.usable_files is not None:
        # How many of them the rules keep is not known, but all of them should be in the folder.
        missing, source = corpus.usable_files - kept - prepared.get("skipped_by_rule", 0), "holds"
    else:
        missing, source = 0 if complete is None else complete - kept, "gives by the paper's rules"
    if not missing:
        return corpus.paper_differs
    difference = f"{abs(missing):,} {'fewer' if missing > 0 else 'more'} than the complete corpus {source}"
    causes = _causes(missing, prepared, as_paper)
    return f"{difference}: {', '.join(causes)}" if causes else difference


def _causes(missing: int, prepared: Report, as_paper: bool) -> list[str]:
    """Why clips are missing, as far as the report shows."""
    if not as_paper:
        return [f"{prepared.get('skipped_by_rule', 0):,} skipped by rules that are not the paper's"]
    if missing < 0 or "unusable" not in prepared:
        return []
    causes = [f"{count:,} skipped ({reason})" for reason, count in prepared["unusable"].items()]
    absent = missing - sum(prepared["unusable"].values())
    return causes + ([f"{absent:,} not in the folder"] if absent > 0 else [])


def write_table1(report: Report, folder: Path) -> str:
    """Writes `table1.json`, `table1.txt` and `table1.png` into a prepared folder; returns the text."""
    table = build_table1(report)
    text = format_table1(table)
    write_json(folder / "table1.json", table)
    write_text(folder / "table1.txt", text + "\n")
    plot_table1(table, folder / "table1.png")
    return text


def format_table1(table: Report) -> str:
    """The table as text."""
    headers = ("corpus", "locale", "mean s", "paper", "clips", "paper", "difference", "type", "reason")
    total = ("total", "", "", "", f"{table['clips']:,}", f"{table['paper_clips']:,}", "", "", "")
    blocks = [format_table([*map(_text_row, table["corpora"].values()), total], headers, "llrrrrrll")]
    for column, values in table["totals"].items():
        rows = [(name, f"{count['clips']:,}", _format(count["paper"], ",")) for name, count in values.items()]
        blocks.append(format_table(rows, (column, "clips", "paper, all 25 corpora"), "lrr"))
    return "\n\n".join(blocks)


def _text_row(row: Report) -> tuple[str | None, ...]:
    return (
        row["title"],
        row["locale"],
        f"{row['mean_duration_s']:.2f}",
        _format(row["paper_duration_s"], ".2f"),
        f"{row['clips']:,}",
        _format(row["paper_clips"], ","),
        _format(row["difference"], "+,"),
        row["style"],
        row["reason"],
    )


def _format(value: float | None, spec: str) -> str | None:
    return None if value is None else format(value, spec)


def plot_table1(table: Report, path: Path) -> None:
    """Plots clips per corpus, emotion, gender and locale next to the paper's."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9), layout="constrained")
    columns = list(table["totals"])
    panels = figure.subplot_mosaic([["corpora", column] for column in columns], height_ratios=[2, 1, 3])
    corpora = panels.pop("corpora")
    rows = list(table["corpora"].values())
    _bars(corpora, [row["title"] for row in rows], [row["clips"] for row in rows], [row["paper_clips"] for row in rows])
    corpora.set_title("corpora", fontsize=10)
    for column, axes in panels.items():
        values = table["totals"][column]
        _bars(axes, list(values), [v["clips"] for v in values.values()], [v["paper"] for v in values.values()])
        axes.set_title(f"{column} (the paper's over all 25 corpora)", fontsize=10)
    corpora.legend(loc="lower right")
    save_figure(figure, path)


def _bars(axes: Axes, names: list[str], clips: list[int], paper: list[int | None]) -> None:
    positions = range(len(names))
    axes.barh([y + 0.2 for y in positions], [value or 0 for value in paper], 0.4, color="0.75", label="paper")
    axes.barh([y - 0.2 for y in positions], clips, 0.4, color="tab:blue", label="prepared")
    axes.set_yticks(positions, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("clips")
