"""OréauFR_02: French Emotional Speech Database - Oréau, version 2.

Kerkeni, Cleder, Serrestou & Raoof 2020. 32 speakers (7 women), seven emotions, French; 44.1 kHz.
zenodo.org/records/4405783, CC BY 4.0. Version 1, `OréauFR_01`, has 502 files; version 2 has the 434 of them whose
emotion listeners recognized, according to nkululeko.

    OréauFR_02/f/sessc/10a01Ca.wav      OréauFR_02/m/sesss/14a03Sa.wav
    gender / folder of the emotion / speaker (2 digits), a, sentence (2 digits), emotion (letter of the French word), a

Two names have another letter in the third place, `m/sesss/07z03Sa.wav` and `m/sesss/07z04Sa.wav`.

Some systems unpack the é as two characters, and it may come out as another one: the pattern does without it. Where both
versions lie below one folder, the files of version 1 are left out.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"c": "anger", "d": "disgust", "j": "joy", "n": "neutral", "p": "fear", "s": "surprise", "t": "sadness"}
GENDERS = {"f": "female", "m": "male"}
PATTERN = (
    r"(?<!FR_01/)(?P<gender>[fm])/sess[cdjnpst]/"
    r"(?P<speaker>\d\d)[a-z](?P<sentence>\d\d)(?P<emotion>[CDJNPST])[a-z]\.wav"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["sentence"],
        "gender": GENDERS[fields["gender"]],
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="oreau02",
    title="OreanFR-02",  # as printed in Table 1; Table 3 has OreauFR-02
    locale="fr-FR",
    style="acted",
    homepage="https://zenodo.org/records/4405783",
    license="CC BY 4.0",
    commercial=True,
    redistributable=True,
    paper_clips=434,
    form="OréauFR_02/f|m/sessE/NNaTTEa.wav",
    pattern=PATTERN,
    describe=_describe,
)
