"""CASTRO: Portuguese sentences and pseudosentences for research on emotional prosody.

Castro & Lima 2010, Recognizing emotions in spoken language: A validated set of Portuguese sentences and pseudosentences
for research on emotional prosody, Behavior Research Methods 42(1), 74-81, doi 10.3758/BRM.42.1.74. Two speakers of
European Portuguese, seven emotions; 190 files of sentences and 178 of pseudosentences, 368 in all. The supplement holds
`Castro-BRM-2010 Sents.zip`, `Castro-BRM-2010 Pseudosents.zip` and text files. It states no license.

    62pA_fear8.wav      8sA_angry8.wav      100sA_neutral3.wav
    number, s (sentence) or p (pseudosentence), speaker (A or B) _ emotion and a number

Whether A and B are women or men was found nowhere. Nor is it known which of the numbers, if any, is the sentence's, so
that clips have no sentence.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

PATTERN = r"\d+[sp](?P<speaker>[AB])_(?P<emotion>angry|disgust|fear|happy|neutral|sad|surprise)\d+\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {"speaker": fields["speaker"].upper(), "raw_label": fields["emotion"]}


CORPUS = Corpus(
    name="castro",
    title="CASTRO",
    locale="pt-PT",
    style="acted",
    homepage="https://doi.org/10.3758/BRM.42.1.74",
    license="none stated",
    commercial=False,
    redistributable=False,
    paper_clips=368,
    form="NsS_EMOTIONn.wav or NpS_EMOTIONn.wav",
    pattern=PATTERN,
    describe=_describe,
    genders=False,
)
