"""MELD: as many rows of each emotion and part as the authors have; who speaks which sentence is made up."""

import csv
import io

from preprocessing.clip import MISSING_FILE, UNEXPECTED_NAME
from preprocessing.corpora.scan import UNKNOWN_GENDER

COUNTS = {
    "train_splits": {
        "anger": 1109,
        "disgust": 271,
        "fear": 268,
        "joy": 1743,
        "sadness": 683,
        "surprise": 1205,
        "neutral": 4710,
    },
    "dev_splits_complete": {
        "anger": 153,
        "disgust": 22,
        "fear": 40,
        "joy": 163,
        "sadness": 111,
        "surprise": 150,
        "neutral": 470,
    },
    "output_repeated_splits_test": {
        "anger": 345,
        "disgust": 68,
        "fear": 50,
        "joy": 402,
        "sadness": 208,
        "surprise": 281,
        "neutral": 1256,
    },
}
TABLES = {
    "train_splits": "train_sent_emo.csv",
    "dev_splits_complete": "dev_sent_emo.csv",
    "output_repeated_splits_test": "test_sent_emo.csv",
}
HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
MAIN = ("Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross")
UNKNOWN = ("All", "Both", "Director", "Nurse", "Joey and Ross")  # 40 neutral rows of each, for the sake of the test


def table(rows: list[tuple[str, str, str, int, int]]) -> str:
    """A table of utterances, speakers, emotions, dialogues and numbers."""
    text = io.StringIO()
    text.write(HEADER)
    writer = csv.writer(text, lineterminator="\n")
    for number, (utterance, speaker, emotion, dialogue, index) in enumerate(rows, start=1):
        times = (4, 7, "00:20:57,256", "00:21:00,049")
        writer.writerow([number, utterance, speaker, emotion, "neutral", dialogue, index, *times])
    return text.getvalue()


def tree() -> dict[str, str]:
    files = {
        "output_repeated_splits_test/._dia0_utt0.mp4": "",
        "output_repeated_splits_test/final_videos_testdia0_utt0.mp4": "",
        "output_repeated_splits_test/final_videos_testdia0_utt1.mp4": "",
    }
    for folder, counts in COUNTS.items():
        rows = []
        for emotion in (emotion for emotion, count in counts.items() for _ in range(count)):
            index = len(rows)
            neutral = index - sum(counts.values()) + counts["neutral"]
            unknown = folder == "train_splits" and 0 <= neutral < 200
            speaker = UNKNOWN[neutral % 5] if unknown else MAIN[index % 6]
            rows.append(("“Oh my God”, he’s lost it.", speaker, emotion, index // 10, index % 10))
            files[f"{folder}/dia{index // 10}_utt{index % 10}.mp4"] = ""
        files[TABLES[folder]] = table(rows)
    del files["dev_splits_complete/dia110_utt7.mp4"]
    return files


EMOTIONS = {
    "angry": 1607,
    "disgust": 361,
    "fear": 358,
    "happy": 2308,
    "neutral": 6435 - 200,  # dia125_utt3 of train is there, though it cannot be decoded
    "sad": 1002,
    "surprise": 1636,
}
GENDERS = None  # the speakers of the lines are made up
SKIPPED = {
    UNKNOWN_GENDER: 200,
    MISSING_FILE: 1,
    UNEXPECTED_NAME: 2,
}
CASES = []  # the labels stand in other files: see test_meld.py
