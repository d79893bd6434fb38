"""CREMA-D: 82 clips of each of 91 actors, less twenty; which twenty is not known here. The sexes stand in a table, so
the cases are in `test_cremad.py`.
"""

from itertools import product

from preprocessing.corpora.cremad import OTHER_FORMAT

SENTENCES = ("DFA", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
ACTORS = range(1001, 1092)
WOMEN = range(1049, 1092)  # as many as there are, but not who they are
MISSING = dict(
    zip([*WOMEN[:14], *ACTORS[:6]], 5 * ["NEU"] + 3 * ["ANG", "DIS", "FEA", "HAP", "SAD"], strict=True)
)  # actor -> emotion


def tree() -> dict[str, str]:
    names = {f"{a}_{s}_{e}_XX" for a, s, e in product(ACTORS, SENTENCES, ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"))}
    names |= {
        f"{a}_IEO_{e}_{v}" for a, e, v in product(ACTORS, ("ANG", "DIS", "FEA", "HAP", "SAD"), ("LO", "MD", "HI"))
    }
    names |= {f"{a}_IEO_NEU_XX" for a in ACTORS}
    names -= {f"{actor}_TSI_{emotion}_XX" for actor, emotion in MISSING.items()}
    files = {f"AudioWAV/{name}.wav": "" for name in sorted(names)}
    copies = ["AudioMP3/1001_DFA_ANG_XX.mp3", "AudioMP3/1091_WSI_HAP_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv"]
    return files | dict.fromkeys(copies, "") | {"VideoDemographics.csv": demographics(), "SentenceFilenames.csv": ""}


def demographics() -> str:
    rows = (f'{actor},30,"{"Female" if actor in WOMEN else "Male"}","Unknown","Unknown"' for actor in ACTORS)
    return "\n".join(['"ActorID","Age","Sex","Race","Ethnicity"', *rows, ""])


EMOTIONS = {"angry": 1271, "disgust": 1271, "fear": 1271, "happy": 1271, "neutral": 1087, "sad": 1271}
GENDERS = {"male": 3930, "female": 3512}
SKIPPED = {OTHER_FORMAT: 3}
CASES = []
