"""SAVEE, as its authors pack it."""

from itertools import product

COUNTS = {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}


def tree() -> dict[str, str]:
    return {
        f"AudioData/{speaker}/{emotion}{number:02}.wav": ""
        for speaker, emotion in product(("DC", "JE", "JK", "KL"), COUNTS)
        for number in range(1, COUNTS[emotion] + 1)
    } | {"AudioData/Info.txt": ""}


EMOTIONS = {"angry": 60, "disgust": 60, "fear": 60, "happy": 60, "neutral": 120, "sad": 60, "surprise": 60}
GENDERS = {"male": 480}
SKIPPED = {}
CASES = [
    ("AudioData/DC/a01.wav", {"raw_label": "anger", "emotion": "angry", "speaker": "DC", "id": "savee/DC/a01.wav"}),
    ("DC_a01.wav", {"raw_label": "anger", "emotion": "angry", "speaker": "DC", "id": "savee/DC/a01.wav"}),
    ("AudioData/JE/d02.wav", {"raw_label": "disgust", "emotion": "disgust", "speaker": "JE", "sentence": "d02"}),
    ("AudioData/JK/f03.wav", {"raw_label": "fear", "emotion": "fear", "speaker": "JK", "sentence": "f03"}),
    ("AudioData/KL/h15.wav", {"raw_label": "happiness", "emotion": "happy", "speaker": "KL", "gender": "male"}),
    ("AudioData/KL/n30.wav", {"raw_label": "neutral", "emotion": "neutral", "sentence": "n30"}),
    ("AudioData/JK/sa15.wav", {"raw_label": "sadness", "emotion": "sad", "sentence": "sa15"}),
    ("AudioData/JK/su15.wav", {"raw_label": "surprise", "emotion": "surprise", "id": "savee/JK/su15.wav"}),
    ("ALL/JK_sa15.wav", {"raw_label": "sadness", "emotion": "sad", "speaker": "JK", "gender": "male"}),
    ("ALL/KL_su01.wav", {"raw_label": "surprise", "emotion": "surprise", "speaker": "KL", "sentence": "su01"}),
]
