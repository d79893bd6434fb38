"""AESDD: EmoBox's list of files, and the one file that cannot be decoded, which is a clip until it is opened."""

from itertools import product

FOLDERS = ("anger", "disgust", "fear", "happiness", "sadness")
MISSING = {"disgust/d18 (5).wav", "fear/f02 (4).wav", "happiness/h11 (3).wav", "sadness/s01 (5).wav"}
WRITTEN_01 = ("disgust/d03", "fear/f10", "fear/f11", "fear/f12", "fear/f13")
MORE_TAKES = (
    "anger/a06 (5)b.wav",
    "disgust/d01 (5)b.wav",
    "disgust/d03 (5)b.wav",
    "disgust/d04 (5)b.wav",
    "fear/f18 (5)b.wav",
    "sadness/s01 (5)a.wav",
    "sadness/s01 (5)b.wav",
    "sadness/s02 (5)b.wav",
    "sadness/s04 (5)b.wav",
)


def tree() -> dict[str, str]:
    regular = {
        f"{folder}/{folder[0]}{utterance:02} ({speaker}).wav"
        for folder, utterance, speaker in product(FOLDERS, range(1, 21), range(1, 7))
    }
    odd = {f"{name} (01).wav" for name in WRITTEN_01} | set(MORE_TAKES)
    names = (regular - MISSING - {f"{name} (1).wav" for name in WRITTEN_01}) | odd
    return dict.fromkeys([*sorted(names), "Tools and Documentation/readme.txt"], "")


EMOTIONS = {"angry": 121, "disgust": 122, "fear": 120, "happy": 119, "sad": 123}  # with `sadness/s05 (3).wav`
GENDERS = {"male": 298, "female": 307}
SKIPPED = {}
CASES = [
    ("anger/a01 (1).wav", {"raw_label": "anger", "emotion": "angry", "speaker": "1", "sentence": "01"}),
    ("disgust/d03 (01).wav", {"raw_label": "disgust", "emotion": "disgust", "speaker": "1", "sentence": "03"}),
    ("fear/f10 (01).wav", {"raw_label": "fear", "emotion": "fear", "speaker": "1", "gender": "female"}),
    ("fear/f13 (01).wav", {"raw_label": "fear", "emotion": "fear", "speaker": "1", "sentence": "13"}),
    ("happiness/h20 (6).wav", {"raw_label": "happiness", "emotion": "happy", "speaker": "6", "sentence": "20"}),
    ("sadness/s01 (5)a.wav", {"raw_label": "sadness", "emotion": "sad", "speaker": "5", "gender": "female"}),
    ("sadness/s01 (5)b.wav", {"raw_label": "sadness", "emotion": "sad", "speaker": "5", "sentence": "01"}),
    ("sadness/s05 (3).wav", {"raw_label": "sadness", "emotion": "sad", "speaker": "3"}),
    ("anger/a01 (1).wav", {"gender": "female"}),
    ("anger/a01 (2).wav", {"gender": "female", "speaker": "2"}),
    ("anger/a01 (3).wav", {"gender": "male", "speaker": "3"}),
    ("anger/a01 (4).wav", {"gender": "male", "speaker": "4"}),
    ("anger/a01 (5).wav", {"gender": "female", "speaker": "5"}),
    ("anger/a01 (6).wav", {"gender": "male", "speaker": "6"}),
]

LOST = {"sadness/s05 (3).wav"}  # cannot be decoded
