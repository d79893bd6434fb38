"""RAVDESS: The Ryerson Audio-Visual Database of Emotional Speech and Song.

Livingstone & Russo 2018, PLoS ONE 13(5) e0196391. 24 professional actors (12 women), two sentences in North American
English, spoken and sung; 48 kHz, 16 bit, mono (a few files are stereo). zenodo.org/records/1188976, CC BY-NC-SA 4.0.

`Audio_Speech_Actors_01-24.zip` (1,440 files) and `Audio_Song_Actors_01-24.zip` (1,012 files) each hold folders
`Actor_NN`; both may be unpacked into one tree. A name is seven two-digit fields:

    Actor_01/03-01-06-01-02-01-12.wav
    modality (03 audio only) - channel (01 speech, 02 song) - emotion - intensity (01 normal, 02 strong)
    - statement (01 kids, 02 dogs) - repetition - actor (odd: man, even: woman)
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
STATEMENTS = {"01": "kids", "02": "dogs"}
PATTERN = r"Actor_\d\d/03-0[12]-(?P<emotion>0[1-8])-0[12]-(?P<statement>0[12])-0[12]-(?P<actor>0[1-9]|1\d|2[0-4])\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["actor"],
        "sentence": STATEMENTS[fields["statement"]],
        "gender": "male" if int(fields["actor"]) % 2 else "female",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="ravdess",
    title="RAVDESS",
    locale="en-US",
    style="acted",
    homepage="https://zenodo.org/records/1188976",
    license="CC BY-NC-SA 4.0",
    commercial=False,
    redistributable=True,
    paper_clips=2452,
    form="Actor_NN/03-CC-EE-II-SS-RR-NN.wav",
    pattern=PATTERN,
    describe=_describe,
)
