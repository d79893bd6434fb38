"""ShEMO: Sharif Emotional Speech Database.

Mohamad Nezami, Jamshid Lou & Karami 2019, ShEMO: a large-scale validated database for Persian speech emotion detection,
Language Resources and Evaluation 53(1), 1-16. 87 speakers (31 women), six emotions (no disgust), Persian; 44.1 kHz (121
files 22.05 kHz), 3,000 files. github.com/mansourehk/ShEMO, `female.zip` and `male.zip` (git LFS): "available for
academic purposes free of charge".

    female/F03S02.wav      male/M36S02.wav      male/M20W01.wav
    gender (F or M) and number of the speaker, emotion (A, F, H, N, S, W), number

An F at the start is female, one after the speaker is fear; W is wonder, that is surprise. The names in `transcript.zip`
differ from those of 162 recordings, so it is not read. Eight clips are shorter than half a second, which leaves the
paper's 2,992.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"a": "anger", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness", "w": "surprise"}
GENDERS = {"f": "female", "m": "male"}
PATTERN = r"(?P<speaker>(?P<gender>[FM])\d\d)(?P<emotion>[AFHNSW])\d+\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"].upper(),
        "gender": GENDERS[fields["gender"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="shemo",
    title="ShEMO",
    locale="fa-FA",
    style="natural",
    homepage="https://github.com/mansourehk/ShEMO",
    license="academic purposes only",
    commercial=False,
    redistributable=False,
    paper_clips=2992,
    form="GSSEnn.wav",
    pattern=PATTERN,
    describe=_describe,
)
