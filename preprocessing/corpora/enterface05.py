"""eNTERFACE'05: an audio-visual emotion database.

Martin, Kotsia, Macq & Pitas 2006, ICDEW, 8. 44 subjects, five sentences in English for each of six emotions; AVI files
with stereo sound of 48 kHz, 1,293 of them. enterface.net/enterface05; the license is "research only" by SER-datasets
and MIT by an ESPnet recipe that quotes the page.

    subject 1/anger/sentence 1/s1_an_1.avi
    subject / emotion / sentence / s and the subject _ emotion (an, di, fe, ha, sa, su) _ sentence

Only the folders are right: the files of subject 11 are called `s12_*`, 16 of subject 3 `s_3_*`, one is
`s16_su_3avi.avi`, and `s2_an_1` and `s2_an_2` lie in each other's place. Subject 6 has one file for each emotion,
`subject 6/anger/s6_an.avi`, a session of one or two minutes that was not cut: they are kept, without a sentence.
Subject 23 lacks three sentences of happiness. The paper's 1,263 are what is left when files of one name count once.

The authors do not state who is a woman. `WOMEN` is from the table of
github.com/michen00/multilingual_speech_valence_classification_datasets: 9 of 44, or 20 %; by the authors' paper it
is 19 %.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

WOMEN = {"4", "5", "7", "26", "28", "29", "31", "33", "44"}
PATTERN = (
    r"subject (?P<subject>[1-9]|[123]\d|4[0-4])/(?P<emotion>anger|disgust|fear|happiness|sadness|surprise)/"
    r"(?:sentence (?P<sentence>[1-5])/)?s_?\d+_\w+\.avi"
)


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["subject"],
        "sentence": fields["sentence"] and f"{fields['emotion']} {fields['sentence']}",
        "gender": "female" if fields["subject"] in WOMEN else "male",
        "raw_label": fields["emotion"],
    }


CORPUS = Corpus(
    name="enterface05",
    title="eNterface05",
    locale="en-US",
    style="acted",
    homepage="http://www.enterface.net/enterface05",
    license="research only or MIT, sources differ",
    commercial=False,
    redistributable=False,
    paper_clips=1263,
    complete_clips=1293,
    paper_differs="the 30 files of subject 11 bear names of subject 12: the paper's number is without them",
    form="subject N/EMOTION/sentence N/sN_EE_N.avi",
    pattern=PATTERN,
    describe=_describe,
    suffixes=(".avi",),
)
