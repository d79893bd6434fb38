"""EMODB: speakers and texts in turn, as many files of each emotion as the corpus has."""

from itertools import islice, product

COUNTS = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")


def tree() -> dict[str, str]:
    files = {}
    for letter, count in COUNTS.items():
        for version, text, speaker in islice(product("abcdef", TEXTS, SPEAKERS), count):
            files[f"wav/{speaker}{text}{letter}{version}.wav"] = ""
    return files


EMOTIONS = {"angry": 127, "disgust": 46, "fear": 69, "happy": 71, "neutral": 79, "sad": 143}
GENDERS = None  # the list of files is not known here, and so not how many are whose
SKIPPED = {}
CASES = [
    ("wav/03a01Fa.wav", {"raw_label": "happiness", "emotion": "happy", "gender": "male", "speaker": "03"}),
    ("wav/16b10Wb.wav", {"raw_label": "anger", "emotion": "angry", "gender": "female", "sentence": "b10"}),
    ("wav/08a02Ab.wav", {"raw_label": "fear", "emotion": "fear", "gender": "female"}),
    ("wav/10b03La.wav", {"raw_label": "boredom", "emotion": "sad", "gender": "male"}),
    ("wav/11b03Ea.wav", {"raw_label": "disgust", "emotion": "disgust", "gender": "male"}),
    ("wav/12b03Ta.wav", {"raw_label": "sadness", "emotion": "sad", "gender": "male"}),
    ("wav/13b03Na.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "female"}),
    ("wav/09b03Na.wav", {"gender": "female"}),
    ("wav/14b03Na.wav", {"gender": "female"}),
    ("wav/15b03Na.wav", {"gender": "male"}),
]
