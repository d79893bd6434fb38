"""MESD: emotions, voices and corpora in full; the words but `tarde` are made up."""

from itertools import product

from preprocessing.corpora.scan import UNKNOWN_GENDER

FOLDER = "Mexican Emotional Speech Database (MESD)"
WORDS = ["tarde"] + [f"palabra{letter}" for letter in "abcdefghijklmnopqrstuvw"]
MISSING = ("Anger_C_A_palabraw", "Neutral_C_A_palabraw")  # which word is missing is not known


def tree() -> dict[str, str]:
    names = product(("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness"), "FMC", "AB", WORDS)
    return {f"{FOLDER}/{name}.wav": "" for name in map("_".join, names) if name not in MISSING}


EMOTIONS = dict.fromkeys(("angry", "disgust", "fear", "happy", "neutral", "sad"), 96)
GENDERS = {"female": 288, "male": 288}
SKIPPED = {UNKNOWN_GENDER: 286}
CASES = [
    (
        f"{FOLDER}/Anger_F_A_tarde.wav",
        {"raw_label": "anger", "emotion": "angry", "gender": "female", "speaker": None, "sentence": "tarde"},
    ),
    (f"{FOLDER}/Disgust_M_B_tarde.wav", {"raw_label": "disgust", "emotion": "disgust", "gender": "male"}),
    (f"{FOLDER}/Fear_F_B_tarde.wav", {"raw_label": "fear", "emotion": "fear", "gender": "female"}),
    (f"{FOLDER}/Happiness_M_A_tarde.wav", {"raw_label": "happiness", "emotion": "happy", "gender": "male"}),
    (f"{FOLDER}/Neutral_M_A_tarde.wav", {"raw_label": "neutral", "emotion": "neutral"}),
    (f"{FOLDER}/Sadness_M_A_tarde.wav", {"raw_label": "sadness", "emotion": "sad"}),
]

# Shorter than 0.5 s, women's and men's of each emotion. The totals are those of the authors; the words are made up.
SHORT = {
    "Anger": (15, 15),
    "Disgust": (2, 2),
    "Fear": (11, 10),
    "Happiness": (8, 8),
    "Neutral": (25, 24),
    "Sadness": (10, 10),
}
LOST = {
    f"{FOLDER}/{emotion}_{voice}_{corpus}_{word}.wav"
    for emotion, counts in SHORT.items()
    for voice, count in zip("FM", counts, strict=True)
    for corpus, word in list(product("AB", WORDS))[:count]
}
