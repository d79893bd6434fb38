"""CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset.

Cao, Cooper, Keutmann, Gur, Nenkova & Verma 2014, IEEE Transactions on Affective Computing 5(4), 377-390. 91 actors
(43 women), twelve sentences in American English, six emotions (no surprise); 16 kHz, mono, 7,442 files.
github.com/CheyneyComputerScience/CREMA-D (git LFS), ODbL 1.0, the contents under DbCL 1.0.

    AudioWAV/1001_DFA_ANG_XX.wav      AudioWAV/1091_WSI_HAP_XX.wav
    actor _ sentence _ emotion _ level (LO, MD, HI; XX where the actor was not asked for one)
    VideoDemographics.csv: ActorID, Age, Sex, ...
    processedResults/tabulatedVotes.csv: a number, A, D, F, H, N, S, fileName, numResponses, ...

The label is the emotion that the actor was asked for. The votes of the crowd are further labels where their table is
present, `emotion:anger` and so on: those of the annotators who were given the voice alone, whose rows have a number
that starts with 1 (2: the face alone, 3: both). `summaryTable.csv` has no counts, and is not read. AudioMP3 and
VideoFlash hold the same clips again. 1076_MTI_SAD_XX.wav is silent, and kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from common.audio_files import walk
from common.text_files import read_text

from ..clip import Clip, SkippedClip, clip_id
from .corpus import ClipFields, Corpus

EMOTIONS = {"ang": "anger", "dis": "disgust", "fea": "fear", "hap": "happy", "neu": "neutral", "sad": "sad"}
GENDERS = {"Female": "female", "Male": "male"}
PATTERN = (
    r"(?P<actor>10(?:0[1-9]|[1-8]\d|9[01]))_(?P<sentence>[A-Z]{3})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)"
    r"_(?:LO|MD|HI|XX?)\.wav"
)
DEMOGRAPHICS = "VideoDemographics.csv"
VOTES = "tabulatedVotes.csv"
VOTED = {"A": "anger", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}
OTHER_FORMAT = "an MP3 or a video; the WAV files are read"  # the reason of a skipped file
_VOICE_ALONE = "1"  # the first digit of a row's number, which is that of the question in finishedResponses.csv


class _CremaD(Corpus):
    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Raises a `ValueError` if there are clips, but no `VideoDemographics.csv`, which gives the actors' gender."""
        genders: dict[str, str | None] = {}
        votes: dict[str, dict[str, float]] | None = None
        for entry in super().read(root):
            if isinstance(entry, Clip):
                genders = genders or _genders(root)
                votes = _votes(root) if votes is None else votes
                extra = votes.get(entry.path.stem.upper(), {})
                entry = replace(entry, gender=genders.get(str(entry.speaker)), extra=extra)
            yield entry
        for path in walk(root, (".mp3", ".flv")):
            found = clip_id(self.name, path.relative_to(root))
            yield SkippedClip(found, OTHER_FORMAT, "duplicate")


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["actor"],
        "sentence": fields["sentence"].upper(),
        "raw_label": EMOTIONS[fields["emotion"]],
    }


def _genders(root: Path) -> dict[str, str | None]:
    table = next(walk(root, (DEMOGRAPHICS.lower(),)), None)
    if table is None:
        raise ValueError(
            f"{root} holds clips of CREMA-D, but no {DEMOGRAPHICS}, which gives the gender of the actors. "
            f"It is next to AudioWAV in {CORPUS.homepage}: copy it to {root / DEMOGRAPHICS}."
        )
    rows = list(csv.DictReader(io.StringIO(read_text(table))))
    if not rows or not {"ActorID", "Sex"} <= rows[0].keys():
        raise ValueError(f"{table}: expected a table with columns ActorID and Sex, as in {CORPUS.homepage}.")
    return {row["ActorID"]: GENDERS.get(row["Sex"]) for row in rows}


def _votes(root: Path) -> dict[str, dict[str, float]]:
    """Name of a clip -> its further labels; empty where the table is missing."""
    table = next(walk(root, (VOTES.lower(),)), None)
    if table is None:
        return {}
    rows = list(csv.DictReader(io.StringIO(read_text(table))))
    if not rows or not {"", "fileName", *VOTED} <= rows[0].keys():
        raise ValueError(
            f"{table}: expected a table with a first column without a name, and the columns fileName and "
            f"{', '.join(VOTED)}, as in {CORPUS.homepage}."
        )
    return {
        row["fileName"].upper(): {f"emotion:{label}": float(row[letter]) for letter, label in VOTED.items()}
        for row in rows
        if row[""].startswith(_VOICE_ALONE)
    }


CORPUS = _CremaD(
    name="cremad",
    title="CREMA-D",
    locale="en-US",
    style="acted",
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    license="ODbL 1.0, contents DbCL 1.0",
    commercial=True,
    redistributable=True,
    paper_clips=7442,
    form="AudioWAV/AAAA_SSS_EEE_LL.wav and VideoDemographics.csv",
    pattern=PATTERN,
    describe=_describe,
)
