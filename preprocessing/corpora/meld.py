"""MELD: Multimodal EmotionLines Dataset, from the television series Friends.

Poria, Hazarika, Majumder, Naik, Cambria & Mihalcea 2019, ACL, 527-536. 13,708 utterances in English, divided by the
publisher; MP4 with AAC sound of 48 kHz, by EmoBox of three channels for the most part. github.com/declare-lab/MELD,
GPL-3.0: that is the repository's licence, and the recordings are of a television series, so that it is not taken as
leave to use them commercially or to pass them on.

    train_splits/dia0_utt0.mp4   dev_splits_complete/dia0_utt0.mp4   output_repeated_splits_test/dia0_utt0.mp4
    dialogue _ utterance, counted from 0 in each of the three
    train_sent_emo.csv   dev_sent_emo.csv   test_sent_emo.csv
    Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime

The archives are `train.tar.gz`, `dev.tar.gz` and `test.tar.gz` in `MELD.Raw.tar.gz`; the tables lie in `data/MELD` of
the repository. In dev, `dia110_utt7` does not exist; in train, `dia125_utt3` cannot be decoded. The test archive also
holds `._*.mp4`, which are no videos, and `final_videos_test*`. Two test clips last 305 and 235 s.

The publisher gives no gender. `WOMEN` and `MEN` are speakers whose gender follows from their name, title or character
in the series, and for whom github.com/michen00/multilingual_speech_valence_classification_datasets says the same.
Without a gender are groups (All, Both, Joey and Ross), roles (Man, Guy, Woman, Director, Nurse), a child (Ben), and
names that leave a doubt (Dr. Oberman, Mr. Bing). The paper's 12,983 clips go by a table that is not published.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..clip import Clip, Drop, clip_id
from .corpus import Corpus, parse_tree, walk

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
PATTERN = rf"(?P<folder>{'|'.join(SPLITS)})/dia\d+_utt\d+\.mp4"


def read(root: Path) -> Iterator[Clip | Drop]:
    """Yields the utterances of MELD below `root`.

    Raises:
        ValueError: there are utterances of a part whose table is missing.
    """
    tables = _read_tables(root)
    for entry in parse_tree(CORPUS, root, PATTERN, _describe, suffixes=(".mp4",)):
        if isinstance(entry, Clip):
            folder = entry.path.parent.name.lower()
            if folder not in tables:
                raise ValueError(
                    f"{root}: there are utterances of MELD in {folder}, but {TABLES[folder]} is nowhere below. It lies "
                    "in data/MELD of https://github.com/declare-lab/MELD."
                )
            row = tables[folder].pop(entry.path.stem.lower(), None)
            entry = _join(entry, row) if row else Drop(entry.id, "no row of the table names this file")
        yield entry
    for folder, rows in tables.items():
        for name in rows:
            yield Drop(clip_id(CORPUS.name, f"{folder}/{name}.mp4"), "the table names a file that does not exist")


def _read_tables(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Folder -> file name without suffix -> row."""
    found = {path.name.lower(): path for path in walk(root, tuple(TABLES.values()))}
    tables = {}
    for folder, name in TABLES.items():
        if name in found:
            with found[name].open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                missing = {"Dialogue_ID", "Utterance_ID", "Speaker", "Emotion", "Utterance"} - set(
                    rows.fieldnames or ()
                )
                if missing:
                    raise ValueError(f"{found[name]} has no column {', '.join(sorted(missing))}.")
                tables[folder] = {f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}": row for row in rows}
    return tables


def _describe(fields: dict[str, str]) -> dict:
    return {"split": SPLITS[fields["folder"]]}


def _join(clip: Clip, row: dict[str, str]) -> Clip:
    speaker = row["Speaker"].strip()
    return replace(
        clip, speaker=speaker, sentence=row["Utterance"], gender=GENDERS.get(speaker), raw_label=row["Emotion"]
    )


CORPUS = Corpus(
    name="meld",
    title="MELD",
    locale="en-US",
    style="natural",
    homepage="https://github.com/declare-lab/MELD",
    licence="GPL-3.0 (of the repository)",
    commercial=False,
    redistributable=False,
    paper_clips=12983,
    paper_differs="the paper has not published by which table its speakers are men and women",
    form="train_splits|dev_splits_complete|output_repeated_splits_test/diaN_uttN.mp4 with their *_sent_emo.csv",
    read=read,
)
