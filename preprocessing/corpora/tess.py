"""TESS: Toronto emotional speech set.

Dupuis & Pichora-Fuller 2010, University of Toronto. Two actresses, of 26 (YAF) and 64 years (OAF), 200 words, seven
emotions, English; 24,414 Hz (one file 96 kHz), 2,800 files. TSpace 1807/24487 and doi:10.5683/SP2/E8H2MF, CC BY-NC-ND
4.0: what is changed must not be passed on, and prepared clips are resampled.

    OAF_back_angry.wav      YAF_youth_ps.wav      (OAF_angry/OAF_back_angry.wav in the copy on Kaggle)
    speaker _ word _ emotion (ps: pleasant surprise)

One name lacks a letter: OA_bite_neutral.wav. Copies with a folder per emotion spell the folders in various ways: only
the file name is read.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

SPEAKERS = {"oaf": "OAF", "oa": "OAF", "yaf": "YAF"}
EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sad",
}
PATTERN = r"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": SPEAKERS[fields["speaker"]],
        "sentence": fields["word"],
        "gender": "female",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="tess",
    title="TESS",
    locale="en-US",
    style="acted",
    homepage="https://doi.org/10.5683/SP2/E8H2MF",
    license="CC BY-NC-ND 4.0",
    commercial=False,
    redistributable=False,
    paper_clips=2800,
    form="OAF|YAF_word_emotion.wav",
    pattern=PATTERN,
    describe=_describe,
)
