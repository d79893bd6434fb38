"""The emotions, genders and locales, in their fixed order, and the rules that map the labels of corpora to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from common.text_files import clean_text, read_text, shorten

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
GENDERS = ("female", "male")
# The paper's codes, as printed in Table 1.
LOCALES = (
    "bn-BN",
    "de-DE",
    "el-EL",
    "en-US",
    "es-MX",
    "fa-FA",
    "fr-FR",
    "it-IT",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ur-UR",
    "zh-Hans",
)
ORDER = {"emotion": EMOTIONS, "gender": GENDERS, "locale": LOCALES}

# Cells without a number, in a column of numbers. In a column of text they are text: a speaker may be called NA.
_MISSING = frozenset(["", "-", "–", "?", ".", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil"])
NONE = "none"  # what a label is mapped to so that its clips are skipped, and a gender so that it is unknown

# Labels that mean one of the seven.
_STRICT = {
    "anger": "angry",
    "angry": "angry",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "happiness": "happy",
    "happy": "happy",
    "joy": "happy",
    "neutral": "neutral",
    "pleasant surprise": "surprise",
    "sad": "sad",
    "sadness": "sad",
    "surprise": "surprise",
    "surprised": "surprise",
}
# What else the paper counted as one of the seven: the mappings that make its Table 1 and class totals come out.
_PAPER = _STRICT | {
    "amused": "happy",
    "boredom": "sad",
    "calm": "neutral",
    "excited": "happy",
    "frustration": "angry",
}
LABEL_RULES: Mapping[str, Mapping[str, str]] = {"paper": _PAPER, "strict": _STRICT}

_COMMON_GENDERS = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male"}


def load_label_rules(name: str) -> Mapping[str, str]:
    """The mapping of the authors' labels to emotions: `paper`, `strict`, or a YAML file `label: emotion`.

    Raises:
        ValueError: the name is neither of the two nor a file, or the file is not a mapping of text to text.
    """
    if name in LABEL_RULES:
        return LABEL_RULES[name]
    if not Path(name).is_file():
        raise ValueError(
            f"--label_rules must be {', '.join(LABEL_RULES)} or a YAML file of `label: emotion`, got {name!r}."
        )
    try:
        rules = yaml.safe_load(read_text(Path(name)))
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is not a YAML file: {error}") from error
    if not isinstance(rules, dict) or not all(isinstance(text, str) for rule in rules.items() for text in rule):
        raise ValueError(f"{name}: expected a YAML mapping of labels to emotions, such as `joy: happy`.")
    return {normalize(label): normalize(emotion) for label, emotion in rules.items()}


def load_speaker_genders(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Corpus -> speaker -> gender, from a YAML file.

    Raises:
        ValueError: the file is not such a mapping, or a gender is neither female nor male.
    """
    try:
        # All scalars are text: to YAML's other loaders the speaker 007 is the number 7, and NO is False.
        content = yaml.load(read_text(path), yaml.BaseLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"--speaker_genders {path}: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(speakers, dict) for speakers in content.values()):
        raise ValueError(f"{path}: expected a YAML mapping, such as `castro: {{A: female, B: female}}`.")
    invalid = {str(gender) for speakers in content.values() for gender in speakers.values()} - set(GENDERS)
    if invalid:
        raise ValueError(f"{path}: a gender must be {' or '.join(GENDERS)}, got {', '.join(sorted(invalid))}.")
    return {
        clean_text(corpus): {clean_text(name): gender for name, gender in speakers.items()}
        for corpus, speakers in content.items()
    }


def normalize(label: str) -> str:
    """A label as it is looked up in the rules: cleaned by [`clean_text`] and in lower case."""
    return clean_text(label).lower()


def is_missing(cell: str) -> bool:
    """Whether a cell of a column of numbers marks a missing value."""
    return cell.strip().lower() in _MISSING


def parse_gender(label: str | None, gender_map: Mapping[str, str]) -> str | None:
    """The gender of a label: by the user's map first and common labels second; `None` if it is unknown.

    Raises:
        ValueError: neither has the label, or the map has a gender that is not valid.
    """
    if label is None or not label.strip():
        return None
    genders = _COMMON_GENDERS | {normalize(key): gender for key, gender in gender_map.items()}
    gender = genders.get(normalize(label))
    if gender is None:
        raise ValueError(
            f"The gender {shorten(label)} is unknown. Map it with --gender_map {label[:40]}=female (or male, {NONE})."
        )
    if gender not in (*GENDERS, NONE):
        raise ValueError(f"--gender_map {label}={gender}: the gender must be female, male or {NONE}.")
    return None if gender == NONE else gender


def raw_labels(columns: Mapping[str, Sequence[str | None]]) -> dict[str, dict[str, dict[str, int]]]:
    """Corpus -> emotion -> the authors' label for it -> clips, the most frequent label first.

    Args:
        columns: `corpus`, `emotion` and `raw_label` of clips. Clips without an emotion or a label are not counted.
    """
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for corpus, emotion, label in zip(columns["corpus"], columns["emotion"], columns["raw_label"], strict=True):
        if corpus is not None and emotion is not None and label is not None:
            counts[corpus][emotion][label] += 1
    return {
        corpus: {emotion: dict(labels.most_common()) for emotion, labels in sorted(emotions.items())}
        for corpus, emotions in sorted(counts.items())
    }


def merged_labels(counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, dict[str, int]]]:
    """The part of [`raw_labels`] about emotions that hold more than their own name, such as boredom among `sad`."""
    merged = {
        corpus: {
            emotion: dict(labels)
            for emotion, labels in emotions.items()
            if not all(_is_name(label, emotion) for label in labels)
        }
        for corpus, emotions in counts.items()
    }
    return {corpus: emotions for corpus, emotions in merged.items() if emotions}


def _is_name(label: str, emotion: str) -> bool:
    return emotion in (normalize(label), LABEL_RULES["strict"].get(normalize(label)))
