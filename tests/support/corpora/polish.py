"""polish-word-emotion: speakers, emotions, words and takes in full; of the words, the last three are made up."""

from itertools import product

WORDS = ("nie", "trzymaj", "podaj", "tak", "stój", "idź")


def tree() -> dict[str, str]:
    return {
        f"m{speaker}.{letter}_{word}_{take}.wav": ""
        for speaker, letter, word, take in product(range(1, 6), "ans", WORDS, range(1, 6))
    }


EMOTIONS = {"angry": 150, "fear": 150, "neutral": 150}
GENDERS = {"male": 450}
SKIPPED = {}
CASES = [
    (
        "m1.a_nie_1.wav",
        {"raw_label": "anger", "emotion": "angry", "gender": "male", "speaker": "m1", "sentence": "nie"},
    ),
    (
        "m3.s_trzymaj_5.wav",
        {"raw_label": "fear", "emotion": "fear", "gender": "male", "speaker": "m3", "sentence": "trzymaj"},
    ),
    ("m1.n_podaj_3.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "male", "sentence": "podaj"}),
]

LOST = {"m1.s_nie_1.wav", "m1.s_nie_2.wav"}  # two of 0.484 s; which ones is made up
