"""ESD: Emotional Speech Dataset, as two corpora: ESD-en and ESD-zh.

Zhou, Sisman, Liu & Li 2021, Seen and unseen emotional style transfer for voice conversion with a new emotional speech
dataset, ICASSP, 920-924. Ten speakers of Mandarin (0001-0010) and ten of English (0011-0020), five women each; 350
sentences per language, each spoken by all its speakers in five emotions: 17,500 files per language; 16 kHz, 16 bit,
mono. github.com/HLTSingapore/Emotional-Speech-Data: one zip for both languages, after a signed form: "can only
be used for research purpose".

    0011/Angry/0011_000351.wav
    0011/Angry/evaluation/0011_000351.wav      in the release that is split (train, evaluation, test)
    speaker / emotion / partition / speaker _ number (6 digits)

The numbers are the same for all speakers: 1-350 neutral, 351-700 angry, 701-1050 happy, 1051-1400 sad, 1401-1750
surprise, according to EmoBox, whose list of files bears it out for all 35,000. So the file name gives all but the
partition, and the id is the same for both releases. The genders are those of the ReadMe in the zip (nkululeko's
differ). The transcripts (0011/0011.txt) are not read: their labels and encodings vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..clip import Clip, SkippedClip
from .corpus import ClipFields, Corpus

MANDARIN = frozenset(f"{number:04}" for number in range(1, 11))
ENGLISH = frozenset(f"{number:04}" for number in range(11, 21))
WOMEN = {"0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019"}
SENTENCES = 350
EMOTIONS = ("neutral", "angry", "happy", "sad", "surprise")  # 350 numbers each
SPLITS = {"train": "train", "evaluation": "validation", "test": "test"}
PATTERN = r"(?P<speaker>00(?:0[1-9]|1\d|20))_(?!000000)(?P<number>00(?:0\d{3}|1[0-6]\d\d|17[0-4]\d|1750))\.wav"


@dataclass(frozen=True)
class _Esd(Corpus):
    """The speakers of one language; nothing comes out of `others`, those of the other one."""

    others: frozenset[str] = frozenset()

    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        for entry in super().read(root):
            if PurePosixPath(entry.id).name[:4] in self.others:
                continue
            if isinstance(entry, Clip):
                entry = replace(entry, split=SPLITS.get(entry.path.parent.name.lower()))
            yield entry


def _describe(fields: dict[str, str]) -> ClipFields:
    emotion, sentence = divmod(int(fields["number"]) - 1, SENTENCES)
    return {
        "speaker": fields["speaker"],
        "sentence": str(sentence + 1),
        "gender": "female" if fields["speaker"] in WOMEN else "male",
        "raw_label": EMOTIONS[emotion],
    }


CORPUS_EN = _Esd(
    name="esd_en",
    title="ESD-en",
    locale="en-US",
    style="acted",
    homepage="https://hltsingapore.github.io/ESD",
    license="research only, signed form",
    commercial=False,
    redistributable=False,
    paper_clips=17500,
    form="0011|…|0020/Emotion/[train|evaluation|test/]NNNN_nnnnnn.wav",
    pattern=PATTERN,
    describe=_describe,
    others=MANDARIN,
)
CORPUS_ZH = replace(
    CORPUS_EN,
    name="esd_zh",
    title="ESD-zh",
    locale="zh-Hans",
    form="0001|…|0010/Emotion/[train|evaluation|test/]NNNN_nnnnnn.wav",
    others=ENGLISH,
)
