"""ESD-zh, as the release in partitions; of the English speakers a few clips, which are ESD-en's."""

EMOTIONS_IN_ORDER = ("Neutral", "Angry", "Happy", "Sad", "Surprise")


def tree() -> dict[str, str]:
    files = {}
    for speaker in range(1, 11):
        files[f"{speaker:04}/{speaker:04}.txt"] = ""
        for number in range(1, 1751):
            emotion, sentence = divmod(number - 1, 350)
            split = "evaluation" if sentence < 20 else "test" if sentence < 50 else "train"
            files[f"{speaker:04}/{EMOTIONS_IN_ORDER[emotion]}/{split}/{speaker:04}_{number:06}.wav"] = ""
    others = ["0011/Angry/0011_000351.wav", "0011/Angry/evaluation/0011_000351.wav", "0020/Happy/0020_000701.wav"]
    return files | dict.fromkeys(["0011/0011.txt", *others], "")


EMOTIONS = {"angry": 3500, "happy": 3500, "neutral": 3500, "sad": 3500, "surprise": 3500}
GENDERS = {"male": 8750, "female": 8750}
SKIPPED = {}
CASES = [
    ("0001/Neutral/0001_000001.wav", {"raw_label": "neutral", "emotion": "neutral", "sentence": "1", "split": None}),
    ("0001/Neutral/evaluation/0001_000002.wav", {"emotion": "neutral", "sentence": "2", "split": "validation"}),
    ("0005/Neutral/evaluation/0005_000002.wav", {"emotion": "neutral", "sentence": "2", "split": "validation"}),
    ("0001/Angry/0001_000351.wav", {"raw_label": "angry", "emotion": "angry"}),
    ("0001/Happy/0001_000701.wav", {"raw_label": "happy", "emotion": "happy"}),
    ("0001/Sad/0001_001051.wav", {"raw_label": "sad", "emotion": "sad"}),
    ("0001/Surprise/0001_001401.wav", {"raw_label": "surprise", "emotion": "surprise"}),
    ("0001/Neutral/0001_000001.wav", {"speaker": "0001", "gender": "female"}),
    ("0002/Neutral/0002_000001.wav", {"speaker": "0002", "gender": "female"}),
    ("0003/Neutral/0003_000001.wav", {"speaker": "0003", "gender": "female"}),
    ("0004/Neutral/0004_000001.wav", {"speaker": "0004", "gender": "male"}),
    ("0005/Neutral/0005_000001.wav", {"speaker": "0005", "gender": "male"}),
    ("0006/Neutral/0006_000001.wav", {"speaker": "0006", "gender": "male"}),
    ("0007/Neutral/0007_000001.wav", {"speaker": "0007", "gender": "female"}),
    ("0008/Neutral/0008_000001.wav", {"speaker": "0008", "gender": "male"}),
    ("0009/Neutral/0009_000001.wav", {"speaker": "0009", "gender": "female"}),
    ("0010/Neutral/0010_000001.wav", {"speaker": "0010", "gender": "male"}),
]
