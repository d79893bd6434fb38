"""ADEPT: a dataset for evaluating prosody transfer.

Torresquintero, Teh, Wallis, Staib, Mohan, Hu, Foglianti, Gao & King 2021, ADEPT: A dataset for evaluating prosody
transfer, arXiv 2106.08321. A woman (ad00) and a man (ad01), English, 44.1 kHz. zenodo.org/records/5117102,
`ADEPT.zip`. No license could be established.

    wav_44khz/emotion/anger/ad00_0001.wav      wav_44khz/propositional_attitude/surprise/ad01_0204.wav
    prosody class / what is meant / speaker _ number

Beside the wav files lie `txt/` and `adept_prompts.json`. Only the class `emotion` is about emotions: surprise as an
attitude is another thing. Files of the other classes therefore bear the class in their label, such as
`propositional_attitude/surprise`, for which the rules have no emotion. The names of the folders in `emotion` could not
be checked; any is read. The 50 clips of the paper fit five emotions x five sentences x two speakers.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

GENDERS = {"ad00": "female", "ad01": "male"}
PATTERN = r"(?P<prosody>[a-z_]+)/(?P<meaning>[a-z_]+)/(?P<speaker>ad0[01])_\d+\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    prosody, meaning = fields["prosody"], fields["meaning"]
    return {
        "speaker": fields["speaker"],
        "gender": GENDERS[fields["speaker"]],
        "raw_label": meaning if prosody == "emotion" else f"{prosody}/{meaning}",
    }


CORPUS = Corpus(
    name="adept",
    title="ADEPT",
    locale="en-US",
    style="acted",
    homepage="https://zenodo.org/records/5117102",
    license="not established",
    commercial=False,
    redistributable=False,
    paper_clips=50,
    paper_differs="no list of its files was found; the paper's 50 fit five emotions, five sentences and two speakers",
    form="emotion/EMOTION/ad0S_NNNN.wav",
    pattern=PATTERN,
    describe=_describe,
)
