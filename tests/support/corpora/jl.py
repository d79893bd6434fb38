"""JL: speakers and emotions in full; how many sentences and takes make the sixty of each is assumed."""

from itertools import product

from preprocessing.corpora.scan import no_counterpart

FOLDER = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"
PRIMARY = ("angry", "sad", "neutral", "happy", "excited")
SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")
SPEAKERS = ("female1", "female2", "male1", "male2")


def tree() -> dict[str, str]:
    return {
        f"{FOLDER}/{speaker}_{emotion}_{number}{letter}_{take}{suffix}": ""
        for speaker, emotion, number, letter, take, suffix in product(
            SPEAKERS, PRIMARY + SECONDARY, range(1, 16), "ab", (1, 2), (".wav", ".txt")
        )
    }


EMOTIONS = {"angry": 240, "happy": 480, "neutral": 240, "sad": 240}
GENDERS = {"female": 600, "male": 600}
SKIPPED = {no_counterpart(word): 240 for word in SECONDARY}
CASES = [
    (
        f"{FOLDER}/female1_angry_10a_1.wav",
        {"raw_label": "angry", "emotion": "angry", "gender": "female", "speaker": "female1", "sentence": "10a"},
    ),
    (f"{FOLDER}/male1_sad_2b_2.wav", {"raw_label": "sad", "emotion": "sad", "gender": "male", "speaker": "male1"}),
    (f"{FOLDER}/female2_neutral_1a_1.wav", {"raw_label": "neutral", "emotion": "neutral", "speaker": "female2"}),
    (f"{FOLDER}/male2_happy_1a_1.wav", {"raw_label": "happy", "emotion": "happy", "speaker": "male2"}),
    (f"{FOLDER}/male2_excited_1a_1.wav", {"raw_label": "excited", "emotion": "happy", "gender": "male"}),
]
