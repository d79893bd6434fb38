"""eNTERFACE'05 in full; which files of subject 3 have the odd name, and which of subject 23 are missing, is made up."""

from itertools import product

FOLDERS = {"an": "anger", "di": "disgust", "fe": "fear", "ha": "happiness", "sa": "sadness", "su": "surprise"}
WOMEN = (4, 5, 7, 26, 28, 29, 31, 33, 44)
ODD = {
    **{f"s3_{code}_{sentence}": f"s_3_{code}_{sentence}" for code in ("an", "fe", "ha") for sentence in range(1, 6)},
    "s3_di_1": "s_3_di_1",
    "s2_an_1": "s2_an_2",
    "s2_an_2": "s2_an_1",
    "s16_su_3": "s16_su_3avi",
}


def tree() -> dict[str, str]:
    files = {"subject 1/anger/sentence 1/Thumbs.db": ""}
    for subject, code, sentence in product(range(1, 45), FOLDERS, range(1, 6)):
        folder = f"subject {subject}/{FOLDERS[code]}"
        name = f"s{12 if subject == 11 else subject}_{code}_{sentence}"
        if subject == 6:
            files[f"{folder}/s6_{code}.avi"] = ""
        elif (subject, code) != (23, "ha") or sentence > 3:
            files[f"{folder}/sentence {sentence}/{ODD.get(name, name)}.avi"] = ""
    return files


EMOTIONS = {"angry": 216, "disgust": 216, "fear": 216, "happy": 213, "sad": 216, "surprise": 216}
GENDERS = {"female": 270, "male": 1023}
SKIPPED = {}
CASES = [
    (
        "subject 1/anger/sentence 1/s1_an_1.avi",
        {"raw_label": "anger", "emotion": "angry", "gender": "male", "speaker": "1", "sentence": "anger 1"},
    ),
    (
        "subject 6/anger/s6_an.avi",
        {"raw_label": "anger", "emotion": "angry", "gender": "male", "speaker": "6", "sentence": None},
    ),
    (
        "subject 3/fear/sentence 5/s_3_fe_5.avi",
        {"raw_label": "fear", "emotion": "fear", "speaker": "3", "sentence": "fear 5"},
    ),
    (
        "subject 11/disgust/sentence 2/s12_di_2.avi",
        {"raw_label": "disgust", "emotion": "disgust", "speaker": "11", "sentence": "disgust 2"},
    ),
    (
        "subject 16/surprise/sentence 3/s16_su_3avi.avi",
        {"raw_label": "surprise", "emotion": "surprise", "speaker": "16", "sentence": "surprise 3"},
    ),
    ("subject 2/anger/sentence 1/s2_an_2.avi", {"speaker": "2", "sentence": "anger 1"}),
    ("subject 2/happiness/sentence 4/s2_ha_4.avi", {"raw_label": "happiness", "emotion": "happy"}),
    ("subject 2/sadness/sentence 4/s2_sa_4.avi", {"raw_label": "sadness", "emotion": "sad"}),
    *(
        (f"subject {subject}/fear/sentence 3/s{subject}_fe_3.avi", {"gender": "female" if subject in WOMEN else "male"})
        for subject in range(1, 45)
    ),
]
