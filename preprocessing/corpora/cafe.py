"""CaFE: Canadian French Emotional speech dataset, the release at 48 kHz (Café-48k).

Gournay, Lahaie & Lefebvre 2018, A Canadian French emotional speech dataset, ACM Multimedia Systems Conference, 399-402.
Twelve actors (six women), seven emotions, six sentences in Canadian French, which the paper calls fr-FR; 936 files.
zenodo.org/records/1478765, `CaFE_48k.zip`, CC BY-NC-SA 4.0.

    Colère/Faible/01-C-1-1.wav      Colère/Fort/01-C-2-1.wav      Neutre/01-N-1-1.wav
    actor (odd: man, even: woman) - emotion (first letter of the French word) - intensity (1 faible, 2 fort) - sentence

Neutral has one intensity and no folder for it. The zip names its folders in a DOS code page, so that they may
come out as `ColŠre` or in undecodable bytes: only the file name is read.
"""

from __future__ import annotations

from .corpus import ClipFields, Corpus

EMOTIONS = {"c": "anger", "d": "disgust", "j": "joy", "n": "neutral", "p": "fear", "s": "surprise", "t": "sadness"}
PATTERN = r"(?P<actor>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-[12]-(?P<sentence>[1-6])\.wav"


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": fields["actor"],
        "sentence": fields["sentence"],
        "gender": "male" if int(fields["actor"]) % 2 else "female",
        "raw_label": EMOTIONS[fields["emotion"]],
    }


CORPUS = Corpus(
    name="cafe",
    title="Café-48k",
    locale="fr-FR",
    style="acted",
    homepage="https://zenodo.org/records/1478765",
    license="CC BY-NC-SA 4.0",
    commercial=False,
    redistributable=True,
    paper_clips=936,
    form="NN-E-I-S.wav",
    pattern=PATTERN,
    describe=_describe,
)
