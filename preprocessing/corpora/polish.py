"""polish-word-emotion: Emotions in Polish speech recordings.

Mięsikowska & Świsulski 2020. Five men, six words in Polish, five takes of each in each of three emotions; 44.1 kHz, 450
files. mostwiedzy.pl, doi 10.34808/h46c-hb44, `Speech_emotions.zip`. No license could be established.

    m1.a_nie_1.wav
    speaker . emotion (a anger, n neutral, s strach) _ word _ take

s is strach, fear, and not sadness. Two of its clips last 0.484 s.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"a": "anger", "n": "neutral", "s": "fear"}
PATTERN = r"(?P<speaker>m[1-5])\.(?P<emotion>[ans])_(?P<word>\w+)_\d+\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["word"],
        "gender": "male",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="polish",
    title="polish-word-emotion",
    locale="pl-PL",
    style="acted",
    homepage="https://doi.org/10.34808/h46c-hb44",
    license="not established",
    commercial=False,
    redistributable=False,
    paper_clips=448,
    form="mS.E_WORD_TAKE.wav",
    pattern=PATTERN,
    describe=_describe,
)
