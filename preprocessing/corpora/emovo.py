"""EMOVO: Italian emotional speech database.

Costantini, Iaderola, Paoloni & Todisco 2014, EMOVO corpus: an Italian emotional speech database, LREC. Six actors
(three women), 14 sentences in Italian, seven emotions; 48 kHz, 588 files. voice.fub.it/activities/corpora/emovo states
no license; nkululeko gives CC BY-NC-SA 4.0.

    EMOVO/f1/dis-f1-b1.wav      EMOVO/m3/tri-m3-d2.wav
    emotion (first letters of the Italian word) - speaker (f: woman, m: man) - sentence (b1-b3, l1-l4, n1-n5, d1-d2)
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
GENDERS = {"f": "female", "m": "male"}
PATTERN = (
    r"(?<!Audios/[fm]\d/)"  # VERBO, some of whose names are the same
    r"(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>(?P<gender>[fm])[1-3])"
    r"-(?P<sentence>b[1-3]|l[1-4]|n[1-5]|d[12])\.wav"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["sentence"],
        "gender": GENDERS[fields["gender"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="emovo",
    title="Emovo",
    locale="it-IT",
    style="acted",
    homepage="http://voice.fub.it/activities/corpora/emovo",
    license="none stated by the authors; CC BY-NC-SA 4.0 according to nkululeko",
    commercial=False,
    redistributable=False,
    paper_clips=588,
    form="emo-sN-xN.wav",
    pattern=PATTERN,
    describe=_describe,
)
