"""IEMOCAP: as many utterances of each label as there are; their speakers and dialogues are made up."""

from preprocessing.corpora.scan import no_counterpart

COUNTS = {"neu": 1708, "fru": 1849, "ang": 1103, "sad": 1084, "exc": 1041, "hap": 595, "sur": 107, "fea": 40, "dis": 2}
LEFT_OUT = {"oth": 3, "xxx": 2507}
WOMEN = 3547  # of the utterances that are kept

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
RATERS = "C-E1:\tExcited;\t()\nC-E2:\tFear;\t()\nA-E1:\tval 2; act 3; dom  2;\t()\n\n"


def dimensions(index: int) -> tuple[float, float, float]:
    """Valence, activation and dominance of a line; each takes all values from 1 to 5 in steps of a half."""
    return 1 + index % 9 / 2, 1 + index // 9 % 9 / 2, 1 + index // 81 % 9 / 2


def tree() -> dict[str, str]:
    files = {}
    codes = [code for code, count in (COUNTS | LEFT_OUT).items() for _ in range(count)]
    for index, code in enumerate(codes):
        session, wearer, turn = index % 5 + 1, "FM"[index // 5 % 2], index // 10
        kind = f"impro{turn // 40 + 1:02}" if turn // 40 % 2 == 0 else f"script01_{turn // 40 + 1}"
        dialogue = f"Ses{session:02}{wearer}_{kind}"
        utterance = f"{dialogue}_{'F' if index < WOMEN else 'M'}{turn % 40:03}"
        folder = f"Session{session}/dialog/EmoEvaluation"
        files[f"Session{session}/sentences/wav/{dialogue}/{utterance}.wav"] = ""
        values = ", ".join(f"{value:.4f}" for value in dimensions(index))
        line = f"[6.2901 - 8.2357]\t{utterance}\t{code}\t[{values}]\n{RATERS}"
        files[f"{folder}/{dialogue}.txt"] = files.get(f"{folder}/{dialogue}.txt", HEADER) + line
        files[f"{folder}/Categorical/{dialogue}_e1_cat.txt"] = f"[6.2901 - 8.2357]\t{utterance}\tfea\t[]\n"
        files[f"{folder}/._{dialogue}.txt"] = f"[6.2901 - 8.2357]\t{utterance}\tfea\t[]\n"
    return files


EMOTIONS = {
    "angry": 1849 + 1103,
    "disgust": 2,
    "fear": 40,
    "happy": 1041 + 595,
    "neutral": 1708,
    "sad": 1084,
    "surprise": 107,
}
GENDERS = {"female": 3547, "male": 3982}
SKIPPED = {
    no_counterpart("other"): 3,
    no_counterpart("xxx"): 2507,
}
CASES = []  # the labels stand in other files: see test_iemocap.py
