"""SUBESCO: speakers, sentences, emotions and takes in full; of the speakers' names three are known here."""

from itertools import product

NAMES = {"F_01": "OISHI", "F_02": "MONIKA", "M_10": "EVAN"}
SPEAKERS = [f"{gender}_{number:02}" for gender in "FM" for number in range(1, 11)]
EMOTION_WORDS = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")


def tree() -> dict[str, str]:
    files = {
        f"{speaker}_{NAMES.get(speaker, 'NAME')}_S_{sentence}_{emotion}_{take}.wav": ""
        for speaker, sentence, emotion, take in product(SPEAKERS, range(1, 11), EMOTION_WORDS, range(1, 6))
    }
    del files["F_02_MONIKA_S_2_SURPRISE_3.wav"]
    return files | {"F_02_MONIKA_S_2_SURPRISE_3].wav": ""}


EMOTIONS = dict.fromkeys(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"], 1000)
GENDERS = {"male": 3500, "female": 3500}
SKIPPED = {}
CASES = [
    ("F_01_OISHI_S_1_ANGRY_1.wav", {"raw_label": "angry", "emotion": "angry", "speaker": "F_01_OISHI"}),
    ("M_10_EVAN_S_10_SURPRISE_5.wav", {"emotion": "surprise", "gender": "male", "speaker": "M_10_EVAN"}),
    ("M_10_EVAN_S_10_SURPRISE_5.wav", {"raw_label": "surprise", "sentence": "10"}),
    ("F_02_MONIKA_S_2_SURPRISE_3].wav", {"emotion": "surprise", "gender": "female", "sentence": "2"}),
    ("F_01_OISHI_S_1_DISGUST_1.wav", {"raw_label": "disgust", "emotion": "disgust", "sentence": "1"}),
    ("F_01_OISHI_S_1_FEAR_1.wav", {"raw_label": "fear", "emotion": "fear"}),
    ("F_01_OISHI_S_1_HAPPY_1.wav", {"raw_label": "happy", "emotion": "happy"}),
    ("F_01_OISHI_S_1_NEUTRAL_1.wav", {"raw_label": "neutral", "emotion": "neutral"}),
    ("F_01_OISHI_S_1_SAD_1.wav", {"raw_label": "sad", "emotion": "sad", "gender": "female"}),
]
