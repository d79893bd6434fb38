"""Table 1 of the paper from what was prepared: clips per corpus, emotion, gender and locale beside the printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from common.files import save_figure, write_json, write_text

from ..corpora import CORPORA, Corpus
from ..labels import EMOTIONS, GENDERS, LOCALES

TABLE_1 = ("table1.json", "table1.txt", "table1.png")  # the files in a prepared folder

# Sharma 2022, table 1: mean duration in seconds. The clips stand with each corpus.
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


def build_table1(report: Mapping) -> dict:
    """Table 1 of a preparation.

    Args:
        report: `report.json` of a prepared folder.

    Returns:
        `corpora`: a row for each prepared corpus, with `locale`, `mean_duration_s`, `clips`, `style`, and, for those of
        the paper, `paper_duration_s`, `paper_clips`, `difference` and `reason` (why it differs, where that is known);
        `totals`: of emotion, gender and locale, `clips` beside `paper`; `clips` in all, and `paper_clips` of the same
        corpora.
    """
    settings = report.get("settings", {})
    as_paper = settings.get("labels", "paper") == "paper" and settings.get("min_duration_s", 0.5) == 0.5
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


def _row(name: str, prepared: Mapping, as_paper: bool) -> dict:
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
        "reason": _reason(known, prepared, as_paper) if difference else "",
    }


def _reason(corpus: Corpus, prepared: Mapping, as_paper: bool) -> str:
    """Why a corpus has other clips than in the paper: first what this preparation lacks, then what the paper does."""
    whole = corpus.whole_clips or (None if corpus.paper_differs else corpus.paper_clips)
    kept = prepared["kept"]
    if whole is None and corpus.usable_files is not None:
        # What the rules leave of them is not known, but all of them should be there.
        missing, gives = corpus.usable_files - kept - prepared.get("by_rule", 0), "holds"
    else:
        missing, gives = 0 if whole is None else whole - kept, "gives by the paper's rules"
    if not missing:
        return corpus.paper_differs
    said = f"{abs(missing):,} {'fewer' if missing > 0 else 'more'} than the whole corpus {gives}"
    causes = _causes(missing, prepared, as_paper)
    return f"{said}: {', '.join(causes)}" if causes else said


def _causes(missing: int, prepared: Mapping, as_paper: bool) -> list[str]:
    """What became of the clips that are missing, as far as the report says."""
    if not as_paper:
        return [f"{prepared.get('by_rule', 0):,} left out by rules that are not the paper's"]
    if missing < 0 or "skipped" not in prepared:
        return []
    causes = [f"{count:,} skipped ({reason})" for reason, count in prepared["skipped"].items()]
    absent = missing - sum(prepared["skipped"].values())
    return causes + ([f"{absent:,} not in the folder"] if absent > 0 else [])


def write_table1(report: Mapping, folder: Path) -> str:
    """Writes `table1.json`, `table1.txt` and `table1.png` into a prepared folder; returns the text."""
    table = build_table1(report)
    text = format_table1(table)
    write_json(folder / "table1.json", table)
    write_text(folder / "table1.txt", text + "\n")
    plot_table1(table, folder / "table1.png")
    return text


def format_table1(table: Mapping) -> str:
    """The table as text."""
    lines = [
        f"{'corpus':<22}{'locale':<10}{'mean s':>7}{'paper':>7}{'clips':>9}{'paper':>9}{'difference':>12}  type",
    ]
    for row in table["corpora"].values():
        lines.append(
            f"{row['title']:<22}{row['locale']:<10}"
            f"{row['mean_duration_s']:>7.2f}{_or_dash(row['paper_duration_s'], '.2f'):>7}"
            f"{row['clips']:>9,}{_or_dash(row['paper_clips'], ','):>9}{_or_dash(row['difference'], '+,'):>12}"
            f"  {row['style'] or '–'}"
        )
        if row["reason"]:
            lines.append(f"  {row['reason']}")
    lines.append(f"{'in all':<46}{table['clips']:>9,}{table['paper_clips']:>9,}")
    for column, values in table["totals"].items():
        lines += ["", f"{column:<46}{'clips':>9}{'paper':>9}   (all 25 corpora)"]
        lines += [f"{name:<46}{v['clips']:>9,}{_or_dash(v['paper'], ','):>9}" for name, v in values.items()]
    return "\n".join(lines)


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def plot_table1(table: Mapping, path: Path) -> None:
    """Draws clips per corpus, emotion, gender and locale beside the paper's."""
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


def _bars(axes, names: list[str], clips: list[int], paper: list[int | None]) -> None:  # noqa: ANN001 - matplotlib's
    positions = range(len(names))
    axes.barh([y + 0.2 for y in positions], [value or 0 for value in paper], 0.4, color="0.75", label="paper")
    axes.barh([y - 0.2 for y in positions], clips, 0.4, color="tab:blue", label="prepared")
    axes.set_yticks(positions, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("clips")
