"""PAVOQUE uncut, with as many utterances in each style as there are; prompts and times are made up."""

from preprocessing.corpora.pavoque import OUTTAKE
from preprocessing.corpora.scan import no_counterpart

COUNTS = {"angry": 601, "happy": 584, "neutral": 3126, "sad": 556, "poker": 575}
OUTTAKES = 1892


def utterance(prompt: str, style: str, number: int) -> str:
    return (
        f"- prompt: {prompt}\n  text: Ach ja?\n  style: {style}\n  start: {3 * number}.0\n  end: {3 * number + 1.92}\n"
        "  segments:\n  - {lab: H#, end: 0.280902}\n  - {lab: '?', end: 0.324898}\n"
    )


def tree() -> dict[str, str]:
    files = {f"pavoque-{style}.flac": "" for style in (*COUNTS, "outtakes")}
    for style, count in COUNTS.items():
        files[f"pavoque-{style}.yaml"] = "".join(utterance(f"m{i:04}", style, i) for i in range(count))
    files["pavoque-outtakes.yaml"] = "".join(utterance(f"m{i:04}a", "neutral", i) for i in range(OUTTAKES))
    return files


EMOTIONS = {"angry": 601, "happy": 584, "neutral": 3126, "sad": 556}
GENDERS = {"male": 4867}
SKIPPED = {no_counterpart("poker"): 575, OUTTAKE: 1892}
CASES = [
    (
        "build/wav/spike0030a-angry.wav",
        {"raw_label": "angry", "emotion": "angry", "gender": "male", "sentence": "spike0030"},
    ),
    ("build/wav/m0001-happy.wav", {"raw_label": "happy", "emotion": "happy", "sentence": "m0001"}),
    ("build/wav/m0001-neutral.wav", {"raw_label": "neutral", "emotion": "neutral"}),
    ("build/wav/m0001-sad.wav", {"raw_label": "sad", "emotion": "sad", "start_s": 0.0, "end_s": None}),
]
