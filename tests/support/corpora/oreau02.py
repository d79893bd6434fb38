"""OréauFR_02, and OréauFR_01, which is left out.

As many files of each emotion and of each gender as version 2 has; how many of an emotion are women's is not known, nor
are the men's numbers but 14. That version 1 has the same folders is assumed.
"""

from preprocessing.clip import UNEXPECTED_NAME

COUNTS = {"C": 67, "D": 67, "J": 62, "N": 70, "P": 51, "S": 62, "T": 55}
WOMEN = ("10", "11", "13", "21", "24", "37", "42")
MEN = [f"{number}" for number in range(10, 42) if f"{number}" not in WOMEN][:25]

ODD = ("OréauFR_02/m/sesss/07z03Sa.wav", "OréauFR_02/m/sesss/07z04Sa.wav")


def tree() -> dict[str, str]:
    files = {}
    for i, letter in enumerate("".join(letter * count for letter, count in COUNTS.items())):
        gender, speakers, n = ("f", WOMEN, i) if i < 115 else ("m", MEN, i - 115)
        name = f"{speakers[n % len(speakers)]}a{n // len(speakers) + 1:02}{letter}a.wav"
        files[f"OréauFR_02/{gender}/sess{letter.lower()}/{name}"] = ""
    for name in [path for path in files if path.startswith("OréauFR_02/m/sesss/")][:2]:
        del files[name]  # for the two whose third letter is another
    files |= dict.fromkeys(ODD, "")
    version_1 = [path.replace("FR_02", "FR_01") for path in files]
    version_1 += [f"OréauFR_01/m/sessc/14a{sentence}Ca.wav" for sentence in range(30, 98)]
    return files | dict.fromkeys(version_1, "")


EMOTIONS = {"angry": 67, "disgust": 67, "fear": 51, "happy": 62, "neutral": 70, "sad": 55, "surprise": 62}
GENDERS = {"male": 319, "female": 115}
SKIPPED = {UNEXPECTED_NAME: 502}
CASES = [
    (
        "OréauFR_02/f/sessc/10a01Ca.wav",
        {"raw_label": "anger", "emotion": "angry", "gender": "female", "speaker": "10", "sentence": "01"},
    ),
    (
        "OréauFR_02/m/sesss/14a03Sa.wav",
        {"raw_label": "surprise", "emotion": "surprise", "gender": "male", "speaker": "14", "sentence": "03"},
    ),
    *((path, {"raw_label": "surprise", "speaker": "07", "sentence": path[-8:-6], "gender": "male"}) for path in ODD),
    ("OréauFR_02/m/sessd/14a03Da.wav", {"raw_label": "disgust", "emotion": "disgust"}),
    ("OréauFR_02/m/sessj/14a03Ja.wav", {"raw_label": "joy", "emotion": "happy"}),
    ("OréauFR_02/m/sessn/14a03Na.wav", {"raw_label": "neutral", "emotion": "neutral"}),
    ("OréauFR_02/m/sessp/14a03Pa.wav", {"raw_label": "fear", "emotion": "fear"}),
    ("OréauFR_02/m/sesst/14a03Ta.wav", {"raw_label": "sadness", "emotion": "sad"}),
    # the accent apart from its letter, and lost
    ("Ore\u0301auFR_02/f/sessc/10a01Ca.wav", {"raw_label": "anger", "id": "oreau02/f/sessc/10a01Ca.wav"}),
    ("Or‚auFR_02/f/sessc/10a01Ca.wav", {"raw_label": "anger", "id": "oreau02/f/sessc/10a01Ca.wav"}),
]
