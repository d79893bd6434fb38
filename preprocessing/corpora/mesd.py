"""MESD: Mexican Emotional Speech Database.

Duville, Alonso-Valerdi & Ibarra-Zarate 2021, Mexican emotional speech database (MESD): adult and child affective
speech, Data in Brief. Single words in Mexican Spanish, six emotions; 48 kHz, 862 files.
data.mendeley.com/datasets/cy34mh68j9 (version 5), CC BY 4.0.

    Mexican Emotional Speech Database (MESD)/Anger_F_A_tarde.wav
    emotion _ voice (F woman, M man, C child) _ corpus of words (A or B) _ word

Three women, two men and six children were recorded, but the names do not identify them. Children's voices (286
files) have no gender. Many words are shorter than half a second.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

GENDERS = {"f": "female", "m": "male", "c": None}
PATTERN = r"(?P<emotion>Anger|Disgust|Fear|Happiness|Neutral|Sadness)_(?P<voice>[FMC])_[AB]_(?P<word>[^/]+)\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "sentence": fields["word"],
        "gender": GENDERS[fields["voice"]],
        "raw_label": fields["emotion"],
    }


CORPUS = Corpus(
    name="mesd",
    title="MESD",
    locale="es-MX",
    style="acted",
    homepage="https://data.mendeley.com/datasets/cy34mh68j9",
    license="CC BY 4.0",
    commercial=True,
    redistributable=True,
    paper_clips=436,
    form="Emotion_V_C_word.wav",
    pattern=PATTERN,
    describe=_describe,
)
