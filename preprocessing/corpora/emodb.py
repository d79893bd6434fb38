"""EMODB: Berlin Database of Emotional Speech.

Burkhardt, Paeschke, Rolfes, Sendlmeier & Weiss 2005, Interspeech, 1517-1520. Ten actors (5 women), ten sentences in
German; 16 kHz, 16 bit, mono, 535 files. emodb.bilderbar.info; the old page states no license, Zenodo 17651657 gives
CC BY 4.0, another packager CC0-1.0.

    wav/03a01Fa.wav
    speaker (2 digits), text (letter and 2 digits), emotion (first letter of the German word), version

The emotion letters are German: A is Angst (fear), F is Freude (happiness), W is Wut (anger).
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"w": "anger", "l": "boredom", "e": "disgust", "a": "fear", "f": "happiness", "t": "sadness", "n": "neutral"}
WOMEN = {"08", "09", "13", "14", "16"}
PATTERN = r"wav/(?P<speaker>03|08|09|1[0-6])(?P<text>[ab]\d\d)(?P<emotion>[WLEAFTN])[a-z]\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["text"],
        "gender": "female" if fields["speaker"] in WOMEN else "male",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="emodb",
    title="EMODB",
    locale="de-DE",
    style="acted",
    homepage="http://emodb.bilderbar.info",
    license="CC BY 4.0 or CC0 1.0, sources differ",
    commercial=True,
    redistributable=True,
    paper_clips=535,
    form="wav/SStttEv.wav",
    pattern=PATTERN,
    describe=_describe,
)
