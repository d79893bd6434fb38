"""EmoV-DB, the sorted release, in full; which files have the odd names, beyond the examples, is made up."""

from preprocessing.corpora.scan import no_counterpart

FOLDERS = {"Amused": "amused", "Angry": "anger", "Disgusted": "disgust", "Neutral": "neutral", "Sleepy": "sleepiness"}
COUNTS = {
    "bea": (296, 304, 333, 357, 497),
    "jenie": (222, 496, 189, 417, 466),
    "josh": (298, 0, 0, 302, 263),
    "sam": (501, 468, 497, 492, 495),
}
CAPITALS = 361
UNDERSCORES = 615


def tree() -> dict[str, str]:
    files = []
    for speaker, counts in COUNTS.items():
        for (folder, word), count in zip(FOLDERS.items(), counts, strict=True):
            for number in range(1, count + 1):
                first = (number - 1) // 28 * 28 + 1
                files.append((f"{speaker}/{folder}", word, f"{first}-{first + 27}", f"{number:04}.wav"))
    files.sort(key=lambda file: file[0] != "bea/Neutral")
    return {
        "/".join(
            [
                folder,
                "_".join(
                    [
                        word.capitalize() if index < CAPITALS else word,
                        sentences.replace("-", "_") if index >= len(files) - UNDERSCORES else sentences,
                        number,
                    ]
                ),
            ]
        ): ""
        for index, (folder, word, sentences, number) in enumerate(files)
    }


EMOTIONS = {"angry": 1268, "disgust": 1019, "happy": 1317, "neutral": 1568}
GENDERS = {"female": 2614, "male": 2558}
SKIPPED = {no_counterpart("sleepy"): 1721}
CASES = [
    (
        "bea/Amused/amused_1-15_0001.wav",
        {"raw_label": "amused", "emotion": "happy", "gender": "female", "speaker": "bea", "sentence": "0001"},
    ),
    (
        "bea_Amused/amused_1-15_0001.wav",
        {"raw_label": "amused", "emotion": "happy", "gender": "female", "speaker": "bea", "sentence": "0001"},
    ),
    ("bea/Neutral/Neutral_1-28_0001.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "female"}),
    ("sam/Amused/amused_141_168_0141.wav", {"emotion": "happy", "gender": "male", "sentence": "0141"}),
    ("jenie/Angry/anger_1-28_0011.wav", {"raw_label": "angry", "emotion": "angry", "gender": "female"}),
    ("sam_Disgusted/disgust_1-28_0011.wav", {"raw_label": "disgusted", "emotion": "disgust", "speaker": "sam"}),
    ("josh_Neutral/neutral_1-28_0011.wav", {"emotion": "neutral", "gender": "male", "speaker": "josh"}),
]
