"""MSP-Podcast: a small tree of the published layout, as the list of all files is not public. The labels are in a table,
so the cases are in `test_msp_podcast.py`.
"""

from preprocessing.corpora.scan import no_counterpart

LETTERS = "ASHUFDCNOX"
SPLITS = ("Train", "Development", "Test1", "Test2")


def tree() -> dict[str, str]:
    names = [f"MSP-PODCAST_{number:04}_{part:04}.wav" for number in range(1, 5) for part in range(len(LETTERS))]
    rows = ["FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"]
    for index, name in enumerate(names):
        number, letter = index // len(LETTERS), LETTERS[index % len(LETTERS)]
        rows.append(f"{name},{letter},4.2,3.5,{1 + index % 7},{number + 10},{'Fe' * (number % 2)}male,{SPLITS[number]}")
    table = "\n".join([*rows, ""]).replace(",male", ",Male")
    return dict.fromkeys((f"Audios/{name}" for name in names), "") | {
        "Labels/labels_consensus.csv": table,
        "Partitions.txt": "".join(f"{SPLITS[i // len(LETTERS)]}; {name}\n" for i, name in enumerate(names)),
    }


EMOTIONS = dict.fromkeys(("angry", "sad", "happy", "surprise", "fear", "disgust", "neutral"), 4)
GENDERS = {"male": 14, "female": 14}
SKIPPED = {no_counterpart(label): 4 for label in ("contempt", "other", "no agreement")}
CASES = []
