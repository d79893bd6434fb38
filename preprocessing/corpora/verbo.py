"""VERBO: Voice Emotion Recognition dataBase in Portuguese language.

Neto, Filho, Mano & Ueyama 2018, Journal of Computer Science 14. Six women and six men, seven emotions, 14 sentences in
Brazilian Portuguese: 1,176 files by the design. The paper counts 1,174; which ones lack is not known. On request from
sites.google.com/view/verbodatabase, "Available for research purposes only" by SER-datasets; a third party claims
CC BY 3.0.

    Audios/f1/ale-f1-l1.wav      Audios/m1/des-m1-ns1.wav
    emotion (first letters of the Portuguese word) - speaker (f1-f6 women, m1-m6 men) - sentence

Emovo's names have the same form, and some of them are the same.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {
    "ale": "happiness",
    "des": "disgust",
    "med": "fear",
    "neu": "neutral",
    "rai": "anger",
    "sur": "surprise",
    "tri": "sadness",
}
GENDERS = {"f": "female", "m": "male"}
# The folders distinguish VERBO from EMOVO, some of whose names are the same.
PATTERN = (
    r"Audios/[fm][1-6]/"
    r"(?P<emotion>ale|des|med|neu|rai|sur|tri)-(?P<speaker>(?P<gender>[fm])[1-6])-(?P<sentence>[a-z]+\d+)\.wav"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["sentence"],
        "gender": GENDERS[fields["gender"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="verbo",
    title="VERBO",
    locale="pt-BR",
    style="acted",
    homepage="https://sites.google.com/view/verbodatabase",
    license="research only, on request; a third party gives CC BY 3.0",
    commercial=False,
    redistributable=False,
    paper_clips=1174,
    complete_clips=1176,
    paper_differs="two of the 1,176 files are missing, which ones is unknown",
    form="EEE-Sn-SENTENCE.wav",
    pattern=PATTERN,
    describe=_describe,
)
