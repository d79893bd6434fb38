"""RAVDESS, speech and song in one tree."""

from itertools import product


def tree() -> dict[str, str]:
    files = {}
    for channel, emotion, intensity, statement, repetition, actor in product(
        (1, 2), range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25)
    ):
        no_song = channel == 2 and (emotion > 6 or actor == 18)
        if not no_song and (emotion, intensity) != (1, 2):
            fields = (3, channel, emotion, intensity, statement, repetition, actor)
            files[f"Actor_{actor:02}/" + "-".join(f"{field:02}" for field in fields) + ".wav"] = ""
    return files


EMOTIONS = {"angry": 376, "disgust": 192, "fear": 376, "happy": 376, "neutral": 564, "sad": 376, "surprise": 192}
GENDERS = {"male": 1248, "female": 1204}
SKIPPED = {}
CASES = [
    ("Actor_01/03-01-01-01-01-01-01.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "male"}),
    ("Actor_24/03-02-06-02-02-02-24.wav", {"raw_label": "fearful", "emotion": "fear", "speaker": "24"}),
    ("Actor_02/03-01-02-01-01-01-02.wav", {"raw_label": "calm", "emotion": "neutral", "gender": "female"}),
    ("Actor_03/03-01-03-02-02-01-03.wav", {"raw_label": "happy", "emotion": "happy", "sentence": "dogs"}),
    ("Actor_03/03-01-04-02-01-01-03.wav", {"raw_label": "sad", "emotion": "sad", "sentence": "kids"}),
    ("Actor_03/03-01-05-01-01-01-03.wav", {"raw_label": "angry", "emotion": "angry"}),
    ("Actor_03/03-01-07-01-01-01-03.wav", {"raw_label": "disgust", "emotion": "disgust"}),
    ("Actor_03/03-01-08-01-01-01-03.wav", {"raw_label": "surprised", "emotion": "surprise"}),
]
