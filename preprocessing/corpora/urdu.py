"""URDU-Dataset: emotional speech from Urdu talk shows.

Latif, Qayyum, Usman & Qadir 2018, Cross lingual speech emotion recognition: Urdu vs. western languages, FIT, 88-93.
29 speakers occur (18 men, 11 women), 100 clips for each of four emotions; 44.1 kHz.
github.com/siddiquelatif/URDU-Dataset: "Anyone can use this data only for research purposes".

    Angry/SM1_F10_A010.wav
    S, gender (M or F) and number of the speaker _ F and the file's number _ emotion (A, H, N, S) and a number
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"a": "angry", "h": "happy", "n": "neutral", "s": "sad"}
PATTERN = r"(?:Angry|Happy|Neutral|Sad)/(?P<speaker>S(?P<gender>[MF])\d+)_F\d+_(?P<emotion>[AHNS])\d{2,4}\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"].upper(),
        "gender": {"m": "male", "f": "female"}[fields["gender"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="urdu",
    title="URDU-Dataset",
    locale="ur-UR",
    style="natural",
    homepage="https://github.com/siddiquelatif/URDU-Dataset",
    license="research only",
    commercial=False,
    redistributable=False,
    paper_clips=400,
    form="Angry|Happy|Neutral|Sad/SGn_Fn_En.wav",
    pattern=PATTERN,
    describe=_describe,
)
