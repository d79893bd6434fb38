"""ADEPT: five sentences per emotion and speaker, and a file of another prosody class.

The names of the emotions' folders and the numbers of the files are likely, not known.
"""

from itertools import product

from preprocessing.corpora.scan import no_counterpart

FOLDERS = ("anger", "disgust", "fear", "joy", "sadness")


def tree() -> dict[str, str]:
    files = {
        f"wav_44khz/emotion/{folder}/{speaker}_{5 * i + number:04}.wav": ""
        for (i, folder), speaker, number in product(enumerate(FOLDERS), ("ad00", "ad01"), range(1, 6))
    }
    files["wav_44khz/propositional_attitude/surprise/ad01_0204.wav"] = ""
    texts = {path.replace("wav_44khz", "txt").replace(".wav", ".txt"): "" for path in files}
    return files | texts | {"adept_prompts.json": "{}"}


EMOTIONS = dict.fromkeys(("angry", "disgust", "fear", "happy", "sad"), 10)
GENDERS = {"female": 25, "male": 25}
SKIPPED = {no_counterpart("propositional_attitude/surprise"): 1}
CASES = [
    (
        "wav_44khz/emotion/anger/ad00_0001.wav",
        {"raw_label": "anger", "emotion": "angry", "gender": "female", "speaker": "ad00"},
    ),
    (
        "wav_44khz/emotion/disgust/ad01_0002.wav",
        {"raw_label": "disgust", "emotion": "disgust", "gender": "male", "speaker": "ad01"},
    ),
    ("wav_44khz/emotion/fear/ad00_0003.wav", {"raw_label": "fear", "emotion": "fear"}),
    ("wav_44khz/emotion/joy/ad00_0004.wav", {"raw_label": "joy", "emotion": "happy"}),
    ("wav_44khz/emotion/sadness/ad00_0005.wav", {"raw_label": "sadness", "emotion": "sad"}),
]
