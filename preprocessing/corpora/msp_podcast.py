"""MSP-Podcast: spontaneous emotional speech from podcasts.

Lotfian & Busso 2019, IEEE Transactions on Affective Computing 10(4), 471-483. English; 16 kHz, mono; several releases.
On request from the MSP lab, University of Texas at Dallas, for academic use alone. Not one of the paper's corpora.

    Audios/MSP-PODCAST_0001_0008.wav
    Labels/labels_consensus.csv: FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set

The label is what the workers agreed on: A anger, S sadness, H happiness, U surprise, F fear, D disgust, C contempt,
N neutral, O other, X no agreement. Activation (arousal), valence and dominance are means over the workers on scales
from 1 to 7. All test sets are the authors' test; the table gives the partition, so that Partitions.txt is not read, nor
are the single workers' answers in labels_detailed.csv.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from common.audio_files import walk
from common.text_files import read_text

from ..clip import MISSING_FILE, NOT_IN_TABLE, Clip, SkippedClip, clip_id
from .corpus import ClipFields, Corpus

TABLE = "labels_consensus.csv"
EMOTIONS = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "other",
    "X": "no agreement",
}
DIMENSIONS = {"valence": "EmoVal", "arousal": "EmoAct", "dominance": "EmoDom"}
GENDERS = {"Female": "female", "Male": "male"}
SPLITS = {"Train": "train", "Development": "validation", "Test1": "test", "Test2": "test", "Test3": "test"}
UNKNOWN = "Unknown"  # a speaker
_COLUMNS = {"FileName", "EmoClass", "SpkrID", "Gender", "Split_Set", *DIMENSIONS.values()}


class _MspPodcast(Corpus):
    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Raises a `ValueError` if there are clips, but no `labels_consensus.csv`, or one of another form."""
        rows: dict[str, dict[str, str]] | None = None
        for entry in super().read(root):
            if isinstance(entry, Clip):
                rows = _read_rows(root) if rows is None else rows
                row = rows.pop(entry.path.name.lower(), None)
                entry = _join(entry, row) if row else SkippedClip(entry.id, NOT_IN_TABLE)
            yield entry
        for row in (rows or {}).values():
            missing = clip_id(self.name, row["FileName"])
            yield SkippedClip(missing, MISSING_FILE)


def _read_rows(root: Path) -> dict[str, dict[str, str]]:
    """Name of a file in lower case -> its row."""
    table = next(walk(root, (TABLE,)), None)
    if table is None:
        raise ValueError(f"{root} holds clips of MSP-Podcast, but no {TABLE}, which has their labels.")
    rows = list(csv.DictReader(io.StringIO(read_text(table), newline=""), restval=""))
    if not rows or not rows[0].keys() >= _COLUMNS:
        raise ValueError(f"{table}: expected a table with the columns {', '.join(sorted(_COLUMNS))}.")
    unknown = {row["EmoClass"] for row in rows} - EMOTIONS.keys() | {row["Split_Set"] for row in rows} - SPLITS.keys()
    if unknown:
        raise ValueError(f"{table}: EmoClass or Split_Set has the unknown value {', '.join(sorted(unknown))}.")
    return {row["FileName"].lower(): row for row in rows}


def _join(clip: Clip, row: dict[str, str]) -> Clip:
    return replace(
        clip,
        speaker=None if row["SpkrID"] == UNKNOWN else row["SpkrID"],
        gender=GENDERS.get(row["Gender"]),
        raw_label=EMOTIONS[row["EmoClass"]],
        split=SPLITS[row["Split_Set"]],
        extra={name: float(row[column]) if row[column] else None for name, column in DIMENSIONS.items()},
    )


def _describe(fields: dict[str, str]) -> ClipFields:
    return {}


CORPUS = _MspPodcast(
    name="msp_podcast",
    title="MSP-Podcast",
    locale="en-US",
    style="natural",
    homepage="https://www.lab-msp.com/MSP/MSP-Podcast.html",
    license="on request, academic use only",
    commercial=False,
    redistributable=False,
    paper_clips=None,
    form=f"Audios/MSP-PODCAST_nnnn_nnnn.wav and Labels/{TABLE}",
    pattern=r"MSP-PODCAST_\d+_\d+(?:_\d+)?\.wav",
    describe=_describe,
    scales=dict.fromkeys(DIMENSIONS, (1.0, 7.0)),
)
