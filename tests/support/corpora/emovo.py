"""EMOVO: emotions, speakers and sentences in full."""

from itertools import product

SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = ("b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2")


def tree() -> dict[str, str]:
    return {
        f"EMOVO/{speaker}/{emotion}-{speaker}-{sentence}.wav": ""
        for emotion, speaker, sentence in product(
            ("dis", "gio", "neu", "pau", "rab", "sor", "tri"), SPEAKERS, SENTENCES
        )
    }


EMOTIONS = dict.fromkeys(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"], 84)
GENDERS = {"male": 294, "female": 294}
SKIPPED = {}
CASES = [
    ("EMOVO/f1/dis-f1-b1.wav", {"raw_label": "disgust", "emotion": "disgust", "speaker": "f1", "sentence": "b1"}),
    ("EMOVO/m3/tri-m3-d2.wav", {"raw_label": "sadness", "emotion": "sad", "speaker": "m3", "sentence": "d2"}),
    ("EMOVO/f2/gio-f2-l4.wav", {"raw_label": "joy", "emotion": "happy", "gender": "female", "sentence": "l4"}),
    ("EMOVO/f3/neu-f3-n5.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "female", "speaker": "f3"}),
    ("EMOVO/m1/pau-m1-n1.wav", {"raw_label": "fear", "emotion": "fear", "gender": "male"}),
    ("EMOVO/m2/rab-m2-d1.wav", {"raw_label": "anger", "emotion": "angry", "gender": "male"}),
    ("EMOVO/m2/sor-m2-l1.wav", {"raw_label": "surprise", "emotion": "surprise", "gender": "male"}),
]
