"""TESS, in one folder: two hundred words; the published ones are not listed here, but for three."""

from itertools import islice, product

WORDS = ["back", "bite", "youth", *islice(map("".join, product("dfg", "aeiou", "klmnprstv", "xz")), 197)]
EMOTION_CODES = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")


def tree() -> dict[str, str]:
    files = {f"{s}_{w}_{e}.wav": "" for s, w, e in product(("OAF", "YAF"), WORDS, EMOTION_CODES)}
    del files["OAF_bite_neutral.wav"]
    return files | {"OA_bite_neutral.wav": ""}


EMOTIONS = dict.fromkeys(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"], 400)
GENDERS = {"female": 2800}
SKIPPED = {}
CASES = [
    ("OAF_back_angry.wav", {"raw_label": "angry", "emotion": "angry", "speaker": "OAF", "sentence": "back"}),
    ("OAF_angry/OAF_back_angry.wav", {"emotion": "angry", "gender": "female", "id": "tess/OAF_back_angry.wav"}),
    ("YAF_youth_ps.wav", {"raw_label": "pleasant surprise", "emotion": "surprise", "speaker": "YAF"}),
    ("OAF_Pleasant_surprise/OAF_back_ps.wav", {"raw_label": "pleasant surprise", "emotion": "surprise"}),
    ("YAF_youth_disgust.wav", {"raw_label": "disgust", "emotion": "disgust", "gender": "female"}),
    ("YAF_youth_fear.wav", {"raw_label": "fear", "emotion": "fear", "sentence": "youth"}),
    ("YAF_youth_happy.wav", {"raw_label": "happy", "emotion": "happy"}),
    ("YAF_youth_neutral.wav", {"raw_label": "neutral", "emotion": "neutral"}),
    ("YAF_youth_sad.wav", {"raw_label": "sad", "emotion": "sad"}),
    ("OA_bite_neutral.wav", {"raw_label": "neutral", "speaker": "OAF", "sentence": "bite", "gender": "female"}),
]
