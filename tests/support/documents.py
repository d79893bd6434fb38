"""Parts of a printed or Markdown text, so that tests compare its values and its structure, not its wording."""

from __future__ import annotations

import re


def numbers(text: str) -> list[float]:
    """The numbers in a text, in their order."""
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def section(markdown: str, heading: str) -> str:
    """What stands below the heading that begins so, up to the next heading of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}.*\n", markdown, re.MULTILINE)
    assert found, heading
    rest = markdown[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def prose(markdown: str, heading: str) -> list[str]:
    """The paragraphs of a section that are not tables, lists or figures."""
    blocks = section(markdown, heading).split("\n\n")
    return [block for block in map(str.strip, blocks) if block and not block.startswith(("|", "- ", "!", "#"))]


def bullets(markdown: str, heading: str) -> list[str]:
    """The items of the lists in a section."""
    return [item.strip() for item in re.findall(r"^- (.*(?:\n  .*)*)", section(markdown, heading), re.MULTILINE)]


def table_rows(markdown: str, heading: str) -> list[list[str]]:
    """The cells of the table in a section, its header first."""
    lines = [line for line in section(markdown, heading).splitlines() if line.startswith("|")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    return rows[:1] + rows[2:]  # without the line between header and body


def seen_in_training(card: str) -> tuple[int | None, int | None]:
    """The test clips, and the test speakers, that a model card reports as seen in the training; `None`: unknown."""
    protocol = section(card, "Evaluation protocol").split("\n\n")
    of_clips, *of_speakers = next(block for block in protocol[1:] if not block.startswith("- ")).strip().splitlines()
    clips = numbers(of_clips)[0] if numbers(of_clips) else 0 if of_clips.startswith("None") else None
    assert (of_clips.startswith("**")) == bool(clips)  # bold where the results are too high
    speakers = " ".join(of_speakers)
    return clips, None if "unknown" in speakers else numbers(speakers)[0] if numbers(speakers) else 0
