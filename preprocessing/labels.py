"""The emotions, genders and locales, in their fixed order, and the rules that map other people's words to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
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

# What a cell says that has no number. In a column of words they are words: a speaker may be called NA.
_MISSING = frozenset(["", "-", "–", "?", ".", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil"])
DROP = "none"  # what a label is mapped to when its clips shall be dropped

# Words that mean one of the seven.
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

_GENDER_WORDS = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male"}


def load_label_rules(name: str) -> Mapping[str, str]:
    """The mapping of publishers' labels to emotions: `paper`, `strict`, or a YAML file `label: emotion`.

    Raises:
        ValueError: there is no such set, or the file is not a mapping of words to words.
    """
    if name in LABEL_RULES:
        return LABEL_RULES[name]
    if not Path(name).is_file():
        raise ValueError(f"--labels is {', '.join(LABEL_RULES)} or a YAML file of `label: emotion`; got {name!r}.")
    try:
        rules = yaml.safe_load(read_text(Path(name)))
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is not a YAML file: {error}") from error
    if not isinstance(rules, dict) or not all(isinstance(word, str) for pair in rules.items() for word in pair):
        raise ValueError(
            f"{name}: a file of label rules is a YAML mapping of labels to emotions, such as `joy: happy`."
        )
    return {normalize(label): normalize(emotion) for label, emotion in rules.items()}


def load_speaker_genders(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Corpus -> speaker -> gender, from a YAML file.

    Raises:
        ValueError: the file is none, or a gender is neither female nor male.
    """
    try:
        # All scalars are text: to YAML's other loaders the speaker 007 is the number 7, and NO is False.
        content = yaml.load(read_text(path), yaml.BaseLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"--speaker_genders {path}: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(speakers, dict) for speakers in content.values()):
        raise ValueError(f"{path}: expected a YAML mapping, such as `castro: {{A: female, B: female}}`.")
    wrong = {str(word) for speakers in content.values() for word in speakers.values()} - set(GENDERS)
    if wrong:
        raise ValueError(f"{path}: a gender is {' or '.join(GENDERS)}, got {', '.join(sorted(wrong))}.")
    return {
        clean_text(corpus): {clean_text(name): word for name, word in speakers.items()}
        for corpus, speakers in content.items()
    }


def normalize(label: str) -> str:
    """A label as the rules spell it: as [`clean_text`] leaves it, in lower case."""
    return clean_text(label).lower()


def is_missing(cell: str) -> bool:
    """Whether a cell, among numbers, says that there is none."""
    return cell.strip().lower() in _MISSING


def parse_gender(word: str | None, names: Mapping[str, str]) -> str | None:
    """Male, female or unknown, by the user's names first and common words second.

    Raises:
        ValueError: the word is neither.
    """
    if word is None or not word.strip():
        return None
    words = _GENDER_WORDS | {normalize(name): gender for name, gender in names.items()}
    gender = words.get(normalize(word))
    if gender not in (*GENDERS, DROP, None):
        raise ValueError(f"--gender_names maps to female, male or {DROP}; got {word}={gender}.")
    if gender is None:
        raise ValueError(
            f"gender {shorten(word)} is unknown; name it with --gender_names {word[:40]}=female (or male, {DROP})."
        )
    return None if gender == DROP else gender


def raw_labels(columns: Mapping[str, Sequence]) -> dict[str, dict[str, dict[str, int]]]:
    """Corpus -> emotion -> the authors' word for it -> clips, the most frequent word first.

    Args:
        columns: `corpus`, `emotion` and `raw_label` of clips. Clips without an emotion or a word are not counted.
    """
    counts: dict[str, dict[str, Counter]] = defaultdict(lambda: defaultdict(Counter))
    for corpus, emotion, word in zip(columns["corpus"], columns["emotion"], columns["raw_label"], strict=True):
        if emotion is not None and word is not None:
            counts[corpus][emotion][word] += 1
    return {
        corpus: {emotion: dict(words.most_common()) for emotion, words in sorted(emotions.items())}
        for corpus, emotions in sorted(counts.items())
    }


def merged_labels(labels: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, dict[str, int]]]:
    """Of what [`raw_labels`] counts the emotions that hold more than their own name: boredom among `sad`, say."""
    merged = {
        corpus: {emotion: dict(words) for emotion, words in emotions.items() if not all(map(_names(emotion), words))}
        for corpus, emotions in labels.items()
    }
    return {corpus: emotions for corpus, emotions in merged.items() if emotions}


def _names(emotion: str) -> Callable[[str], bool]:
    """Whether a word is a name of the emotion."""
    return lambda word: emotion in (normalize(word), LABEL_RULES["strict"].get(normalize(word)))
