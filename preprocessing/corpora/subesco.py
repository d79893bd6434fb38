"""SUBESCO: SUST Bangla Emotional Speech Corpus.

Sultana, Rahman, Selim & Iqbal 2021, PLoS ONE 16(4) e0250173. 20 actors (ten women), ten sentences in Bangla, seven
emotions, five takes; 44.1 or 48 kHz, 7,000 files in one folder. zenodo.org/records/4526477, CC BY 4.0.

    F_01_OISHI_S_1_ANGRY_1.wav      M_10_EVAN_S_10_SURPRISE_5.wav
    gender _ number _ name of the speaker _ S _ sentence _ emotion _ take

One name has a bracket too many: F_02_MONIKA_S_2_SURPRISE_3].wav.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

GENDERS = {"f": "female", "m": "male"}
PATTERN = (
    r"(?P<speaker>(?P<gender>[FM])_\d\d_[^/_]+)_S_(?P<sentence>[1-9]|10)"
    r"_(?P<emotion>ANGRY|DISGUST|FEAR|HAPPY|NEUTRAL|SAD|SURPRISE)_[1-5]\]?\.wav"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"].upper(),
        "sentence": fields["sentence"],
        "gender": GENDERS[fields["gender"]],
        "raw_label": fields["emotion"],
    }


CORPUS = Corpus(
    name="subesco",
    title="SUBESCO",
    locale="bn-BN",
    style="acted",
    homepage="https://zenodo.org/records/4526477",
    license="CC BY 4.0",
    commercial=True,
    redistributable=True,
    paper_clips=7000,
    form="G_NN_NAME_S_n_EMOTION_n.wav",
    pattern=PATTERN,
    describe=_describe,
)
