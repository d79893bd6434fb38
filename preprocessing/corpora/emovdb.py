"""EmoV-DB: The Emotional Voices Database.

Adigwe, Tits, El Haddad, Ostadabbas & Dutoit 2018, The Emotional Voices Database: Towards Controlling the Emotion
Dimension in Voice Generation Systems, arXiv:1806.09514. Two women (bea, jenie) and two men (josh, sam), sentences of
CMU ARCTIC in English; by EmoBox 16 kHz, and 44.1 kHz those of bea. 6,893 files. github.com/numediart/EmoV-DB and
openslr.org/115, for non-commercial use by a license of its own, which does not mention passing the recordings on.

    bea/Amused/amused_1-15_0001.wav     the "sorted" release
    bea_Amused/amused_1-15_0001.wav     OpenSLR 115: what is in bea_Amused.tar.gz, unpacked into a folder of that name
    speaker / emotion / emotion _ range of sentences in the annotation _ sentence (4 digits)

The archives of OpenSLR hold files without folders, whose names do not identify the speaker: each needs its own folder.
Some names have `_` for the hyphen (`amused_141_168_0141`), some start with a capital (`Neutral_1-28_0001`). There is no
Angry and no Disgusted of josh.

The paper counts amused as happy and leaves out sleepy, but has 3,644 clips where that gives 5,172: for unknown reasons.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

GENDERS = {"bea": "female", "jenie": "female", "josh": "male", "sam": "male"}
PATTERN = (
    r"(?P<speaker>bea|jenie|josh|sam)[/_](?P<emotion>Amused|Angry|Disgusted|Neutral|Sleepy)/"
    r"(?P<file>[a-z]+_\d+[-_]\d+_(?P<sentence>\d{4})\.wav)"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "id": f"{fields['speaker']}/{fields['emotion']}/{fields['file']}",
        "speaker": fields["speaker"],
        "sentence": fields["sentence"],
        "gender": GENDERS[fields["speaker"]],
        "raw_label": fields["emotion"],
    }


CORPUS = Corpus(
    name="emovdb",
    title="EmoV-DB",
    locale="en-US",
    style="acted",
    homepage="https://github.com/numediart/EmoV-DB",
    license="own license, non-commercial",
    commercial=False,
    redistributable=False,
    paper_clips=3644,
    complete_clips=5172,
    paper_differs="the paper does not state which clips it left out; no choice of complete folders gives its number",
    form="SPEAKER/EMOTION/emotion_n-n_nnnn.wav or SPEAKER_EMOTION/emotion_n-n_nnnn.wav",
    pattern=PATTERN,
    describe=_describe,
)
