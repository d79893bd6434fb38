"""URDU-Dataset: speakers in turn."""

SPEAKERS = [f"SM{i}" for i in range(1, 19)] + [f"SF{i}" for i in range(1, 12)]


def tree() -> dict[str, str]:
    return {
        f"{folder}/{SPEAKERS[i % len(SPEAKERS)]}_F{i // len(SPEAKERS) + 1}_{folder[0]}{i + 1:0{width}}.wav": ""
        for folder, width in (("Angry", 3), ("Happy", 2), ("Neutral", 4), ("Sad", 3))
        for i in range(100)
    }


EMOTIONS = {"angry": 100, "happy": 100, "neutral": 100, "sad": 100}
GENDERS = None  # the list of files is not known here, and so not how many are whose
SKIPPED = {}
CASES = [
    ("Angry/SM1_F10_A010.wav", {"raw_label": "angry", "emotion": "angry", "gender": "male", "speaker": "SM1"}),
    ("Sad/SF10_F1_S01.wav", {"raw_label": "sad", "emotion": "sad", "gender": "female", "speaker": "SF10"}),
    ("Sad/SM6_F4_S0100.wav", {"raw_label": "sad", "gender": "male", "speaker": "SM6"}),
    ("Happy/SM6_F4_H01.wav", {"raw_label": "happy", "emotion": "happy"}),
    ("Neutral/SM6_F4_N01.wav", {"raw_label": "neutral", "emotion": "neutral"}),
]
