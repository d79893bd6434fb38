"""CASTRO: as many files of each emotion, speaker and kind of sentence as the corpus has; their pairing is not known."""

COUNTS = {"angry": 63, "disgust": 35, "fear": 41, "happy": 46, "neutral": 60, "sad": 59, "surprise": 64}
SPEAKERS = "A" * 186 + "B" * 182
KINDS = "sp" * 178 + "s" * 12
FOLDERS = {"s": "Castro-BRM-2010 Sents", "p": "Castro-BRM-2010 Pseudosents"}


def tree() -> dict[str, str]:
    emotions = [f"{emotion}{i + 1}" for emotion, count in COUNTS.items() for i in range(count)]
    names = zip(range(1, 369), KINDS, SPEAKERS, emotions, strict=True)
    files = {f"{FOLDERS[kind]}/{number}{kind}{speaker}_{emotion}.wav": "" for number, kind, speaker, emotion in names}
    return files | {" Castro_2010_AppxB_1.txt": ""}


EMOTIONS = COUNTS
GENDERS = {None: 368}
SKIPPED = {}
CASES = [
    ("62pA_fear8.wav", {"raw_label": "fear", "emotion": "fear", "gender": None, "speaker": "A"}),
    ("8sA_angry8.wav", {"raw_label": "angry", "emotion": "angry", "gender": None, "speaker": "A"}),
    ("100sA_neutral3.wav", {"raw_label": "neutral", "emotion": "neutral", "speaker": "A", "sentence": None}),
    ("62pB_disgust8.wav", {"raw_label": "disgust", "emotion": "disgust", "speaker": "B"}),
    ("8sB_happy1.wav", {"raw_label": "happy", "emotion": "happy", "speaker": "B"}),
    ("8sB_sad12.wav", {"raw_label": "sad", "emotion": "sad", "speaker": "B"}),
    ("8pB_surprise1.wav", {"raw_label": "surprise", "emotion": "surprise", "speaker": "B"}),
]
