"""IEMOCAP: Interactive Emotional Dyadic Motion Capture Database.

Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee & Narayanan 2008, Language Resources and Evaluation 42(4),
335-359. Ten actors (5 women) in five sessions of a woman and a man each, scripted and improvised dialogues in English;
16 kHz, mono. 10,039 utterances are labeled. sail.usc.edu/iemocap, on request, for academic use alone.

    Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
    session, who wears the markers (F or M) _ dialogue _ who speaks (F or M) and a number

The letter behind the session does not identify the speaker: in `Ses01F_impro01_M000` the man of session 1 does.

The labels are what the raters agreed on, in one text file per dialogue:

    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt
    [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]

Behind the emotion stand, as means over the raters and in this order: valence (1 negative, 5 positive), activation,
which others call arousal (1 calm, 5 excited), and dominance (1 weak, 5 strong). They become the further labels
`valence`, `arousal` and `dominance`.

Other lines of these files start with `%` or are single raters'; the folders below EmoEvaluation are single raters'.
The paper counts frustration as angry and excited as happy, and leaves out `oth` and `xxx`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common.audio_files import walk
from common.text_files import read_text

from ..clip import Clip, SkippedClip, clip_id
from .corpus import ClipFields, Corpus

EMOTIONS = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "oth": "other",
    "sad": "sadness",
    "sur": "surprise",
    "xxx": "xxx",  # as the authors write it
}
PATTERN = r"Ses(?P<session>0[1-5])[FM]_(?:impro|script)\w+_(?P<gender>[FM])\w{3}\.wav"
DIMENSIONS = ("valence", "arousal", "dominance")
_LABEL_LINE = re.compile(rf"\[[\d.]+ - [\d.]+\]\t(\w+)\t({'|'.join(EMOTIONS)})\t\[(\d+\.\d+), (\d+\.\d+), (\d+\.\d+)\]")

# Reasons of skipped clips
NOT_LABELED = "the labels do not list this file"
MISSING_UTTERANCE = "the labels list a file that does not exist"


class _Label(NamedTuple):
    utterance: str
    emotion: str
    dimensions: dict[str, float]


class _Iemocap(Corpus):
    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Raises a `ValueError` if there are utterances, but no label files."""
        labels = _read_labels(root)
        unlabeled = not labels
        for entry in super().read(root):
            if isinstance(entry, Clip):
                if unlabeled:
                    raise ValueError(
                        f"{root}: there are utterances of IEMOCAP, such as {entry.path.name}, but none of the label "
                        "files, SessionN/dialog/EmoEvaluation/DIALOGUE.txt."
                    )
                label = labels.pop(entry.path.stem.lower(), None)
                if label is None:
                    entry = SkippedClip(entry.id, NOT_LABELED)
                else:
                    entry = replace(entry, raw_label=label.emotion, extra=label.dimensions)
            yield entry
        for label in labels.values():
            missing = clip_id(self.name, f"{label.utterance}.wav")
            yield SkippedClip(missing, MISSING_UTTERANCE)


def _read_labels(root: Path) -> dict[str, _Label]:
    """Utterance in lower case -> its label."""
    labels = {}
    for path in walk(root, (".txt",)):
        if path.parent.name.lower() == "emoevaluation":
            for line in read_text(path, errors="replace").splitlines():
                if found := _LABEL_LINE.match(line):
                    utterance, code, *values = found.groups()
                    dimensions = dict(zip(DIMENSIONS, map(float, values), strict=True))
                    labels[utterance.lower()] = _Label(utterance, EMOTIONS[code], dimensions)
    return labels


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": f"Ses{fields['session']}{fields['gender'].upper()}",
        "session": f"Ses{fields['session']}",
        "gender": {"m": "male", "f": "female"}[fields["gender"]],
    }


CORPUS = _Iemocap(
    name="iemocap",
    title="IEMOCAP",
    locale="en-US",
    style="acted",
    homepage="https://sail.usc.edu/iemocap",
    license="on request, academic use only",
    commercial=False,
    redistributable=False,
    paper_clips=7529,
    form="SessionN/sentences/wav/DIALOGUE/DIALOGUE_Xnnn.wav with SessionN/dialog/EmoEvaluation/DIALOGUE.txt",
    pattern=PATTERN,
    describe=_describe,
    scales=dict.fromkeys(DIMENSIONS, (1.0, 5.0)),
)
