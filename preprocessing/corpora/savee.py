"""SAVEE: Surrey Audio-Visual Expressed Emotion database.

Haq, Jackson & Edge 2008, Audio-visual feature selection and reduction for emotion classification, AVSP. Four men, 15
sentences per emotion (30 neutral) in British English (the paper gives en-US); 44.1 kHz, mono, 480 files.
kahlan.eps.surrey.ac.uk/savee, `AudioData.zip`, after registration; "free of charges for research purposes only".

    AudioData/DC/a01.wav      AudioData/JK/su15.wav      (DC_a01.wav in the copy on Kaggle and in EmoBox)
    speaker / emotion (a, d, f, h, n, sa, su) and sentence (2 digits)

The sentences are numbered within each emotion. The id is the one of the authors' release for both forms.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
PATTERN = r"(?P<speaker>DC|JE|JK|KL)[/_](?P<sentence>(?P<emotion>SA|SU|[ADFHN])\d\d)\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "id": f"{fields['speaker'].upper()}/{fields['sentence']}.wav",
        "speaker": fields["speaker"].upper(),
        "sentence": fields["sentence"],
        "gender": "male",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="savee",
    title="SAVEE",
    locale="en-US",
    style="acted",
    homepage="http://kahlan.eps.surrey.ac.uk/savee/",
    license="research only, after registration",
    commercial=False,
    redistributable=False,
    paper_clips=480,
    form="SS/Enn.wav or SS_Enn.wav",
    pattern=PATTERN,
    describe=_describe,
)
