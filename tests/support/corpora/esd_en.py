"""ESD-en, as the release without partitions; of the Mandarin speakers a few clips, which are ESD-zh's."""

EMOTIONS_IN_ORDER = ("Neutral", "Angry", "Happy", "Sad", "Surprise")


def tree() -> dict[str, str]:
    files = {}
    for speaker in range(11, 21):
        files[f"{speaker:04}/{speaker:04}.txt"] = ""
        for number in range(1, 1751):
            emotion = EMOTIONS_IN_ORDER[(number - 1) // 350]
            files[f"{speaker:04}/{emotion}/{speaker:04}_{number:06}.wav"] = ""
    others = ["0001/Neutral/0001_000001.wav", "0001/Neutral/train/0001_000001.wav", "0010/Sad/0010_001400.wav"]
    return files | dict.fromkeys(["0001/0001.txt", *others], "")


EMOTIONS = {"angry": 3500, "happy": 3500, "neutral": 3500, "sad": 3500, "surprise": 3500}
GENDERS = {"male": 8750, "female": 8750}
SKIPPED = {}
CASES = [
    ("0011/Neutral/0011_000001.wav", {"raw_label": "neutral", "emotion": "neutral", "sentence": "1", "split": None}),
    ("0011/Neutral/0011_000350.wav", {"raw_label": "neutral", "emotion": "neutral", "sentence": "350"}),
    ("0011/Angry/0011_000351.wav", {"raw_label": "angry", "emotion": "angry", "sentence": "1", "speaker": "0011"}),
    ("0011/Angry/0011_000700.wav", {"raw_label": "angry", "emotion": "angry", "sentence": "350"}),
    ("0011/Happy/0011_000701.wav", {"raw_label": "happy", "emotion": "happy", "sentence": "1"}),
    ("0011/Happy/0011_001050.wav", {"raw_label": "happy", "emotion": "happy", "sentence": "350"}),
    ("0011/Sad/0011_001051.wav", {"raw_label": "sad", "emotion": "sad", "sentence": "1"}),
    ("0011/Sad/0011_001400.wav", {"raw_label": "sad", "emotion": "sad", "sentence": "350"}),
    ("0011/Surprise/0011_001401.wav", {"raw_label": "surprise", "emotion": "surprise", "sentence": "1"}),
    ("0011/Surprise/0011_001750.wav", {"raw_label": "surprise", "emotion": "surprise", "sentence": "350"}),
    ("0011/Angry/evaluation/0011_000351.wav", {"split": "validation", "emotion": "angry", "sentence": "1"}),
    ("0011/Sad/evaluation/0011_001057.wav", {"split": "validation", "emotion": "sad", "sentence": "7"}),
    ("0011/Neutral/test/0011_000021.wav", {"split": "test", "emotion": "neutral", "sentence": "21"}),
    ("0012/Surprise/test/0012_001421.wav", {"split": "test", "emotion": "surprise", "sentence": "21"}),
    ("0016/Angry/train/0016_000699.wav", {"split": "train", "emotion": "angry", "sentence": "349"}),
    ("0012/Surprise/train/0012_001451.wav", {"split": "train", "emotion": "surprise", "sentence": "51"}),
    ("0011/Neutral/0011_000001.wav", {"speaker": "0011", "gender": "male"}),
    ("0012/Neutral/0012_000001.wav", {"speaker": "0012", "gender": "male"}),
    ("0013/Neutral/0013_000001.wav", {"speaker": "0013", "gender": "male"}),
    ("0014/Neutral/0014_000001.wav", {"speaker": "0014", "gender": "male"}),
    ("0015/Neutral/0015_000001.wav", {"speaker": "0015", "gender": "female"}),
    ("0016/Neutral/0016_000001.wav", {"speaker": "0016", "gender": "female"}),
    ("0017/Neutral/0017_000001.wav", {"speaker": "0017", "gender": "female"}),
    ("0018/Neutral/0018_000001.wav", {"speaker": "0018", "gender": "female"}),
    ("0019/Neutral/0019_000001.wav", {"speaker": "0019", "gender": "female"}),
    ("0020/Neutral/0020_000001.wav", {"speaker": "0020", "gender": "male"}),
]
