"""JL: emotional speech in New Zealand English.

James, Tian & Watson 2018, An open source emotional speech corpus for human robot interaction applications, Interspeech,
2768-2772. Two women and two men, 240 files for each of ten emotions; 44.1 kHz. kaggle.com/tli725/jl-corpus; the license
is CC0 1.0 by SER-datasets and ODC-By by nkululeko. The paper gives en-US.

    Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1.wav
    speaker _ emotion _ sentence _ take

Each has a text file of the same name. The five primary emotions are angry, sad, neutral, happy and excited. The
secondary ones have no counterpart in the paper: its 1,200 clips are the primary ones.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = "angry|sad|neutral|happy|excited|anxious|apologetic|assertive|concerned|encouraging"
PATTERN = rf"(?P<speaker>(?P<gender>female|male)[12])_(?P<emotion>{EMOTIONS})_(?P<sentence>\d+[a-z]?)_\d+\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["speaker"],
        "sentence": fields["sentence"],
        "gender": fields["gender"],
        "raw_label": fields["emotion"],
    }


CORPUS = Corpus(
    name="jl",
    title="jl-corpus",
    locale="en-US",
    style="acted",
    homepage="https://www.kaggle.com/tli725/jl-corpus",
    license="CC0 1.0 or ODC-By, sources differ",
    commercial=True,
    redistributable=True,
    paper_clips=1200,
    form="SPEAKER_EMOTION_SENTENCE_TAKE.wav",
    pattern=PATTERN,
    describe=_describe,
)
