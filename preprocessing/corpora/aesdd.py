"""AESDD: Acted Emotional Speech Dynamic Database.

Vryzas, Liatsou, Kotsakis, Dimoulas & Kalliris 2017, Augmenting drama: a speech emotion-controlled stage lighting
framework, Audio Mostly, 1-7. Six actors, twenty utterances in Greek, five emotions (no neutral); 44.1 kHz, 605 files.
m3c.web.auth.gr; no license is stated (a mirror on Hugging Face gives CC BY 4.0 on its own account).

    anger/a01 (1).wav      fear/f10 (01).wav      sadness/s01 (5)a.wav
    first letter of the emotion, utterance (2 digits), speaker in brackets, a or b for further takes

Five names have the speaker as 01 (d03, f10-f13), nine of speaker 5 end in a or b. `sadness/s05 (3).wav` cannot be
decoded, which leaves the paper's 604. The authors state that three of the first five speakers are women; who they
are, and that speaker 6 is a man, is from michen00/multilingual_speech_valence_classification_datasets (nkululeko's rule
that the odd ones are men contradicts the authors).
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
GENDERS = {"1": "female", "2": "female", "3": "male", "4": "male", "5": "female", "6": "male"}
PATTERN = r"(?P<emotion>[ADFHS])(?P<utterance>\d\d) \(0?(?P<speaker>[1-6])\)[AB]?\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["utterance"],
        "gender": GENDERS[fields["speaker"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="aesdd",
    title="AESDD",
    locale="el-EL",
    style="acted",
    homepage="http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    license="none stated",
    commercial=False,
    redistributable=False,
    paper_clips=604,
    form="emotion/eUU (S).wav",
    pattern=PATTERN,
    describe=_describe,
)
