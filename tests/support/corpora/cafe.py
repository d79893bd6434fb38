"""CaFE: actors, emotions, intensities and sentences in full."""

from itertools import product

FOLDERS = {"C": "Colère", "D": "Dégoût", "J": "Joie", "P": "Peur", "S": "Surprise", "T": "Tristesse"}
INTENSITIES = {1: "Faible", 2: "Fort"}


def tree() -> dict[str, str]:
    files = {}
    for actor, sentence in product(range(1, 13), range(1, 7)):
        files[f"Neutre/{actor:02}-N-1-{sentence}.wav"] = ""
        for letter, intensity in product(FOLDERS, INTENSITIES):
            folder = f"{FOLDERS[letter]}/{INTENSITIES[intensity]}"
            files[f"{folder}/{actor:02}-{letter}-{intensity}-{sentence}.wav"] = ""
    return files


EMOTIONS = {"angry": 144, "disgust": 144, "fear": 144, "happy": 144, "neutral": 72, "sad": 144, "surprise": 144}
GENDERS = {"male": 468, "female": 468}
SKIPPED = {}
CASES = [
    ("Colère/Faible/01-C-1-1.wav", {"raw_label": "anger", "emotion": "angry", "gender": "male", "speaker": "01"}),
    ("Colère/Fort/01-C-2-1.wav", {"raw_label": "anger", "emotion": "angry", "gender": "male", "sentence": "1"}),
    ("Neutre/01-N-1-1.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "male"}),
    ("Dégoût/Fort/02-D-2-6.wav", {"raw_label": "disgust", "emotion": "disgust", "gender": "female", "sentence": "6"}),
    ("Joie/Fort/11-J-2-2.wav", {"raw_label": "joy", "emotion": "happy", "gender": "male", "speaker": "11"}),
    ("Peur/Fort/12-P-2-3.wav", {"raw_label": "fear", "emotion": "fear", "gender": "female", "speaker": "12"}),
    ("Surprise/Faible/10-S-1-4.wav", {"raw_label": "surprise", "emotion": "surprise", "gender": "female"}),
    ("Tristesse/Faible/09-T-1-5.wav", {"raw_label": "sadness", "emotion": "sad", "gender": "male"}),
    # as many programs unpack the zip
    ("ColŠre/Faible/01-C-1-1.wav", {"raw_label": "anger", "id": "cafe/01-C-1-1.wav"}),
    ("D‚go–t/Fort/02-D-2-6.wav", {"raw_label": "disgust", "id": "cafe/02-D-2-6.wav"}),
]
