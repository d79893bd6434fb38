"""ShEMO: as many clips of each emotion and of each gender as the corpus has, the names that are known among them.

How many of an emotion are women's is not known here, but for their sum.
"""

COUNTS = {"A": (446, 613), "F": (16, 22), "H": (85, 116), "N": (433, 595), "S": (189, 260), "W": (94, 131)}
# the eight that are shorter than half a second, and two more
NAMES = ["M03A10", "F24W01", "M20W01", "M04W01", "M41W06", "M41A02", "M21W04", "F24W20", "F03S02", "M36S02"]


def tree() -> dict[str, str]:
    names = set(NAMES)
    for emotion, (women, men) in COUNTS.items():
        for gender, speakers, count in (("F", 31, women), ("M", 56, men)):
            named = sum(name[0] == gender and name[3] == emotion for name in NAMES)
            generated = (f"{gender}{i % speakers + 1:02}{emotion}{i // speakers + 1:02}" for i in range(count))
            names |= set([name for name in generated if name not in NAMES][: count - named])
    return {f"{'female' if name[0] == 'F' else 'male'}/{name}.wav": "" for name in sorted(names)}


EMOTIONS = {"angry": 1059, "fear": 38, "happy": 201, "neutral": 1028, "sad": 449, "surprise": 225}
GENDERS = {"male": 1737, "female": 1263}
SKIPPED = {}
CASES = [
    ("female/F03S02.wav", {"raw_label": "sadness", "emotion": "sad", "gender": "female", "speaker": "F03"}),
    ("male/M36S02.wav", {"raw_label": "sadness", "emotion": "sad", "gender": "male", "speaker": "M36"}),
    ("male/M20W01.wav", {"raw_label": "surprise", "emotion": "surprise", "gender": "male", "speaker": "M20"}),
    ("male/M03A10.wav", {"raw_label": "anger", "emotion": "angry", "gender": "male", "speaker": "M03"}),
    ("female/F24W20.wav", {"raw_label": "surprise", "emotion": "surprise", "gender": "female"}),
    ("male/M41A02.wav", {"raw_label": "anger", "emotion": "angry", "gender": "male"}),
    ("female/F01F01.wav", {"raw_label": "fear", "emotion": "fear", "gender": "female", "speaker": "F01"}),
    ("male/M01F01.wav", {"raw_label": "fear", "emotion": "fear", "gender": "male", "speaker": "M01"}),
    ("male/M01H01.wav", {"raw_label": "happiness", "emotion": "happy", "gender": "male"}),
    ("male/M01N01.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "male"}),
    ("F03S02.wav", {"raw_label": "sadness", "gender": "female", "id": "shemo/F03S02.wav"}),
]

LOST = {f"{'female' if name[0] == 'F' else 'male'}/{name}.wav" for name in NAMES[:8]}  # shorter than 0.5 s
