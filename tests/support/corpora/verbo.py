"""VERBO by its design: seven emotions, twelve speakers, fourteen sentences.

Real are the sentences l1-l5, s2, q1, ns1 and ns5; the others are made up to make fourteen.
"""

from itertools import product

SENTENCES = ("l1", "l2", "l3", "l4", "l5", "s1", "s2", "q1", "q2", "ns1", "ns2", "ns3", "ns4", "ns5")
SPEAKERS = [f"{letter}{number}" for letter, number in product("fm", range(1, 7))]


def tree() -> dict[str, str]:
    return {
        f"Audios/{speaker}/{emotion}-{speaker}-{sentence}.wav": ""
        for emotion, speaker, sentence in product(
            ("ale", "des", "med", "neu", "rai", "sur", "tri"), SPEAKERS, SENTENCES
        )
    }


EMOTIONS = dict.fromkeys(("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"), 168)
GENDERS = {"female": 588, "male": 588}
SKIPPED = {}
CASES = [
    (
        "Audios/f1/ale-f1-l1.wav",
        {"raw_label": "happiness", "emotion": "happy", "gender": "female", "speaker": "f1", "sentence": "l1"},
    ),
    (
        "Audios/m1/des-m1-ns1.wav",
        {"raw_label": "disgust", "emotion": "disgust", "gender": "male", "speaker": "m1", "sentence": "ns1"},
    ),
    ("Audios/m6/med-m6-s2.wav", {"raw_label": "fear", "emotion": "fear", "gender": "male", "speaker": "m6"}),
    ("Audios/f6/neu-f6-q1.wav", {"raw_label": "neutral", "emotion": "neutral", "gender": "female", "speaker": "f6"}),
    ("Audios/m1/rai-m1-ns5.wav", {"raw_label": "anger", "emotion": "angry"}),
    ("Audios/m1/sur-m1-l5.wav", {"raw_label": "surprise", "emotion": "surprise"}),
    ("Audios/m1/tri-m1-l2.wav", {"raw_label": "sadness", "emotion": "sad"}),
]
