"""MELD: Multimodal EmotionLines Dataset, from the television series Friends.

Poria, Hazarika, Majumder, Naik, Cambria & Mihalcea 2019, ACL, 527-536. 13,708 utterances in English, divided by the
authors; MP4 with AAC sound of 48 kHz, by EmoBox of three channels for the most part. github.com/declare-lab/MELD,
GPL-3.0: that is the repository's license, and the recordings are of a television series, so that it is not taken as
leave to use them commercially or to pass them on.

    train_splits/dia0_utt0.mp4   dev_splits_complete/dia0_utt0.mp4   output_repeated_splits_test/dia0_utt0.mp4
    dialogue _ utterance, counted from 0 in each of the three
    train_sent_emo.csv   dev_sent_emo.csv   test_sent_emo.csv
    Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime

The archives are `train.tar.gz`, `dev.tar.gz` and `test.tar.gz` in `MELD.Raw.tar.gz`; the tables lie in `data/MELD` of
the repository. In dev, `dia110_utt7` does not exist; in train, `dia125_utt3` cannot be decoded. The test archive also
holds `._*.mp4`, which are not videos, and `final_videos_test*`. Two test clips last 305 and 235 s.

The authors give no gender. `WOMEN` and `MEN` are speakers whose gender follows from their name, title or character
in the series, and for whom github.com/michen00/multilingual_speech_valence_classification_datasets agrees.
For others the label itself states it: the Woman, Fireman No. 3, a Waitress, Joey's Sister. Without a gender are groups
(All, Both, Joey and Ross, Guys), roles that either may have (Director, Nurse), a child (Ben), and names that leave a
doubt (Dr. Oberman, Mr. Bing, whom an actress plays). The paper's 12,983 clips go by a table that is not published.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from common.audio_files import walk
from common.text_files import read_text

from ..clip import MISSING_FILE, NOT_IN_TABLE, Clip, SkippedClip, clip_id
from .corpus import ClipFields, Corpus

SPLITS = {"train_splits": "train", "dev_splits_complete": "validation", "output_repeated_splits_test": "test"}
TABLES = {
    "train_splits": "train_sent_emo.csv",
    "dev_splits_complete": "dev_sent_emo.csv",
    "output_repeated_splits_test": "test_sent_emo.csv",
}
WOMEN = """
Alice, Angela, Annabelle, Aunt Lillian, Bernice, Bonnie, Brenda, Caitlin, Carol, Cassie, Cecilia, Charlie, Chloe,
Cookie, Dana, Dina, Elizabeth, Emily, Erin, Estelle, Fake Monica, Frannie, Ginger, Hope, Isabella, Jade, Jane, Janice,
Janine, Jeannine, Jen, Jessica Lockhart, Jill, Joanna, Joanne, Julie, Kate, Kathy, Katie, Kiki, Kim, Kori, Krista,
Kristen, Kristin, Lauren, Leslie, Lorraine, Lydia, Marjorie, Megan, Melissa, Mindy, Molly, Mona, Monica, Mrs. Bing,
Mrs. Burgin, Mrs. Chatracus, Mrs. Geller, Mrs. Green, Mrs. Lynch, Mrs. Tedlock, Mrs. Tribbiani, Mrs. Waltham,
Ms. McKenna, Nancy, Paula, Phoebe, Phoebe Sr, Phoebe Sr., Phoebe/Waitress, Rachel, Rachel/actress, Ronni, Shelley,
Sophie, Stephanie, Susan, Trudie Styler, Ursula, Whitney
"""
MEN = """
Alan, Allesandro, Barry, Bob, Bobby, Burt, Carl, Chandler, Charlton Heston, Chip, Cliff, Danny, David, Doug,
Dr. Drake Remoray, Dr. Franzblau, Dr. Green, Dr. Harad, Dr. Ledbetter, Dr. Leedbetter, Dr. Stryker Ramoray, Duncan,
Earl, Emeril, Eric, Frank, Frank Sr., Gary, Gary Collins, Gunther, Guru Saj, Hoshi, Issac, Jake, Jason, Jay Leno, Jim,
Joey, Joey/Drake, Joshua, Julio, Kyle, Larry, Liam, Marc, Mark, Max, Mike, Mischa, Mr. Burgin, Mr. Franklin, Mr. Geller,
Mr. Heckles, Mr. Kaplan, Mr. Posner, Mr. Treeger, Mr. Tribbiani, Mr. Waltham, Mr. Zelner, Paolo, Paul, Pete, Peter,
Raymond, Richard, Rick, Robert, Roger, Ross, Russell, Sergei, Stanley, Steve, Stu, Tag, Terry, Tom, Tommy, Tony, Vince,
Wayne, Young Ethan
"""
GENDERS = {
    name: gender
    for gender, names in (("female", WOMEN), ("male", MEN))
    for name in names.strip().replace("\n", " ").split(", ")
}
DOUBTFUL = {"Mr. Bing"}
# Terms for one person that imply a gender. Names may end in -man, so trades are listed.
_WOMAN = (
    r"\w*woman|actress|aunt|bride|bridesmaid|daughter|female|girl|girlfriend|grandma|grandmother|hostess|lady|mom|"
    r"mother|mrs|ms|miss|nun|sister|stewardess|waitress|wife"
)
_MAN = (
    r"(?:anchor|business|camera|delivery|door|fire|gentle|handy|mail|police|repair|sales|stunt)?man|boy|boyfriend|"
    r"brother|dad|dude|father|grandfather|grandpa|groom|guy|husband|king|male|monk|mr|priest|son|uncle|waiter"
)
_GROUP = re.compile(r"\band\b|[&,+]", re.IGNORECASE)
PATTERN = rf"(?P<folder>{'|'.join(SPLITS)})/dia\d+_utt\d+\.mp4"


class _Meld(Corpus):
    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Raises a `ValueError` if there are utterances of a part whose table is missing."""
        tables = _read_tables(root)
        for entry in super().read(root):
            if isinstance(entry, Clip):
                folder = entry.path.parent.name.lower()
                if folder not in tables:
                    raise ValueError(
                        f"{root}: there are utterances of MELD in {folder}, but {TABLES[folder]} is missing. It lies "
                        "in data/MELD of https://github.com/declare-lab/MELD."
                    )
                row = tables[folder].pop(entry.path.stem.lower(), None)
                entry = _join(entry, row) if row else SkippedClip(entry.id, NOT_IN_TABLE)
            yield entry
        for folder, rows in tables.items():
            for name in rows:
                missing = clip_id(self.name, f"{folder}/{name}.mp4")
                yield SkippedClip(missing, MISSING_FILE)


def _read_tables(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Folder -> file name without suffix -> row."""
    found = {path.name.lower(): path for path in walk(root, tuple(TABLES.values()))}
    tables = {}
    for folder, name in TABLES.items():
        if name in found:
            tables[folder] = {f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}": row for row in _rows(found[name])}
    return tables


def _rows(table: Path) -> Iterator[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(read_text(table), newline=""), restval="")
    missing = {"Dialogue_ID", "Utterance_ID", "Speaker", "Emotion", "Utterance"} - set(rows.fieldnames or ())
    if missing:
        raise ValueError(f"{table} has no column {', '.join(sorted(missing))}.")
    try:
        yield from rows
    except csv.Error as error:
        raise ValueError(f"{table}, line {rows.line_num}: not a row of a CSV table ({error}).") from error


def _describe(fields: dict[str, str]) -> ClipFields:
    return {"split": SPLITS[fields["folder"]]}


def _join(clip: Clip, row: dict[str, str]) -> Clip:
    speaker = row["Speaker"].strip()
    return replace(
        clip, speaker=speaker, sentence=row["Utterance"], gender=gender_of(speaker), raw_label=row["Emotion"]
    )


def gender_of(speaker: str) -> str | None:
    """The gender of a speaker of MELD: by the table of names, else by a term in the label."""
    if speaker in GENDERS:
        return GENDERS[speaker]
    if speaker in DOUBTFUL or _GROUP.search(speaker):
        return None
    implied = {gender for gender, terms in (("female", _WOMAN), ("male", _MAN)) if _has(terms, speaker)}
    return implied.pop() if len(implied) == 1 else None


def _has(terms: str, speaker: str) -> bool:
    return re.search(rf"\b(?:{terms})\b", speaker, re.IGNORECASE) is not None


CORPUS = _Meld(
    name="meld",
    title="MELD",
    locale="en-US",
    style="natural",
    homepage="https://github.com/declare-lab/MELD",
    license="GPL-3.0 (of the repository)",
    commercial=False,
    redistributable=False,
    paper_clips=12983,
    paper_differs="the paper has not published by which table its speakers are men and women",
    usable_files=13_705,  # but for the one that does not exist and the one that cannot be decoded
    form="train_splits|dev_splits_complete|output_repeated_splits_test/diaN_uttN.mp4 with their *_sent_emo.csv",
    pattern=PATTERN,
    describe=_describe,
    suffixes=(".mp4",),
)
