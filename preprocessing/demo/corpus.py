"""The embedded demo corpus: sentences spoken by eSpeak NG in 13 locales, with a prosody per emotion.

    python -m preprocessing.demo --output prepared/demo_corpus

It has the shape of real data and none of their licenses: two corpora, one of which gives no gender and no disgust;
28 voices, those of the test split absent from training; emotions whose pitch, range, rate and melody overlap. They
differ foremost in melody, the course of pitch and pace over the sentence, on which the mean pitch of a clip does not
depend. It shows that the software works, and does not measure how well a model recognizes emotions of people.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from .sentences import ESPEAK_VOICES, SENTENCES

TABLE = "clips.csv"
CORPORA = ("demo-a", "demo-b")  # the second one gives no gender and no disgust
COLUMNS = ("path", "corpus", "locale", "speaker", "sentence", "gender", "emotion", "style", "split")
# Voice variants of eSpeak NG, by gender.
VOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "male": ("m1", "m2", "m4", "m7", "m8", "antonio", "Denis", "Diogo", "Marco", "travis", "victor"),
        "female": ("f1", "f5", "Alicia", "Andrea", "anika", "Annie", "aunty", "belinda", "grandma", "linda", "steph"),
    },
    "validation": {"male": ("m5",), "female": ("f3",)},
    "test": {"male": ("m3", "m6"), "female": ("f2", "f4")},
}
WITHOUT_GENDER = ("bn-BN", "el-EL", "fa-FA", "pl-PL", "ur-UR", "zh-Hans")
SAMPLING_RATE = 22_050


@dataclass(frozen=True)
class Prosody:
    """How an emotion is spoken, in eSpeak's units; the values of each clip are sampled around these.

    Args:
        rate: words per minute.
        pitch: of the voice, 0 to 99.
        range: of its intonation, 0 to 99.
        melody: pitch at the beginning, the middle and the end of the sentence, in percent of the voice's.
        tremble: pitch going up and down from word to word, in percent.
        pace: rate of the second half of the sentence, in percent of the first's.
    """

    rate: float
    pitch: float
    range: float
    melody: tuple[float, float, float]
    tremble: float
    pace: float


PROSODY = {
    "angry": Prosody(215, 54, 48, (60, 10, -50), 0, 130),
    "disgust": Prosody(175, 43, 40, (-35, 45, -50), 0, 70),
    "fear": Prosody(215, 61, 28, (5, 10, 5), 45, 115),
    "happy": Prosody(205, 57, 55, (-30, 60, -25), 15, 105),
    "neutral": Prosody(195, 49, 38, (0, 0, 0), 0, 100),
    "sad": Prosody(172, 43, 28, (35, -10, -35), 0, 75),
    "surprise": Prosody(195, 56, 52, (-40, 0, 65), 0, 90),
}
# Standard deviations of the values of a clip.
SPREAD = Prosody(rate=12, pitch=6, range=8, melody=(6, 6, 6), tremble=3, pace=5)


def write_demo_corpus(output: Path, seed: int = 0, overwrite: bool = False) -> Path:
    """Synthesizes the corpus as wav files and a table.

    Args:
        output: folder to write to.
        seed: seed of sentences and prosody.
        overwrite: whether to replace files there that are not of a demo corpus.

    Returns:
        The table, to be read by `prepare.py --corpus table=…`.

    Raises:
        ImportError: `espeakng-loader` is missing.
        ValueError: `output` holds a table or recordings that are not of a demo corpus.
    """
    if not (overwrite or _is_ours(output)):
        raise ValueError(
            f"{output} holds {TABLE} or wav, which are not of a demo corpus. Choose another --output, or replace them "
            "with --overwrite."
        )
    espeak = Espeak()
    random = np.random.default_rng(seed)
    rows = []
    for split, gender, voice in _voices():
        for locale, emotion in product(SENTENCES, PROSODY):
            sentence = int(random.integers(len(SENTENCES[locale])))
            prosody = _sample(PROSODY[emotion], random)
            if locale in WITHOUT_GENDER and emotion == "disgust":
                continue
            path = Path("wav", locale, f"{voice}_{emotion}_{sentence}.wav")
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            waveform = espeak.speak(SENTENCES[locale][sentence], f"{ESPEAK_VOICES[locale]}+{voice}", prosody)
            soundfile.write(output / path, waveform, SAMPLING_RATE)
            rows.append(
                {
                    "path": path.as_posix(),
                    "corpus": CORPORA[locale in WITHOUT_GENDER],
                    "locale": locale,
                    "speaker": voice,
                    "sentence": f"{locale} {sentence}",
                    "gender": "" if locale in WITHOUT_GENDER else gender,
                    "emotion": emotion,
                    "style": "acted",
                    "split": split,
                }
            )
    pd.DataFrame(rows, columns=COLUMNS).to_csv(output / TABLE, index=False)
    return output / TABLE


def _voices() -> Iterator[tuple[str, str, str]]:
    """The split, the gender and the name of each voice."""
    for split, genders in VOICES.items():
        for gender, voices in genders.items():
            for voice in voices:
                yield split, gender, voice


def _is_ours(output: Path) -> bool:
    """Whether a folder holds a complete demo corpus, or nothing that the demo corpus would replace."""
    if not (output / TABLE).exists():
        return not (output / "wav").exists()
    with (output / TABLE).open(encoding="utf-8", errors="replace") as table:
        return table.readline().rstrip() == ",".join(COLUMNS)


def _sample(prosody: Prosody, random: np.random.Generator) -> Prosody:
    def around(name: str) -> float:
        return float(random.normal(getattr(prosody, name), getattr(SPREAD, name)))

    return Prosody(
        rate=np.clip(around("rate"), 100, 260),
        pitch=np.clip(around("pitch"), 15, 90),
        range=np.clip(around("range"), 5, 95),
        melody=tuple(random.normal(prosody.melody, SPREAD.melody)),
        tremble=abs(around("tremble")),
        pace=np.clip(around("pace"), 60, 150),
    )


class Espeak:
    """eSpeak NG's library, as `espeakng-loader` brings it. Its state is global: one instance, one thread."""

    _SYNCHRONOUS, _UTF8, _SSML = 2, 1, 0x10
    _RATE, _PITCH, _RANGE = 1, 3, 4

    def __init__(self) -> None:
        try:
            loader = importlib.import_module("espeakng_loader")
        except ImportError as error:
            raise ImportError("The demo corpus needs eSpeak NG: pip install espeakng-loader") from error
        self._library = ctypes.CDLL(loader.get_library_path())
        rate = self._library.espeak_Initialize(self._SYNCHRONOUS, 0, loader.get_data_path().encode(), 0)
        if rate != SAMPLING_RATE:
            raise RuntimeError(f"eSpeak NG has a sampling rate of {rate} Hz, expected {SAMPLING_RATE} Hz.")
        self._samples: list[np.ndarray] = []
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = callback(self._collect)  # kept, as Python would free it while the library uses it
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, _: int) -> int:
        if samples and count:
            self._samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def speak(self, sentence: str, voice: str, prosody: Prosody) -> np.ndarray:
        """The sentence as int16 of shape `(samples,)`."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"eSpeak NG does not have the voice {voice}.")
        for parameter, value in (
            (self._RATE, prosody.rate),
            (self._PITCH, prosody.pitch),
            (self._RANGE, prosody.range),
        ):
            self._library.espeak_SetParameter(parameter, round(value), 0)
        self._samples.clear()
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # breathy voices have random noise
        text = _ssml(sentence, prosody).encode()
        self._library.espeak_Synth(text, len(text) + 1, 0, 0, 0, self._UTF8 | self._SSML, None, None)
        return np.concatenate(self._samples)


def _ssml(sentence: str, prosody: Prosody) -> str:
    """The sentence with pitch and pace per word."""
    words = sentence.split()
    marked = []
    for index, word in enumerate(words):
        position = index / max(1, len(words) - 1)
        pitch = np.interp(position, (0, 0.5, 1), prosody.melody) + prosody.tremble * (-1) ** index
        rate = 100 if position <= 0.5 else prosody.pace
        marked.append(f'<prosody pitch="{pitch:+.0f}%" rate="{rate:.0f}%">{word}</prosody>')
    return f"<speak>{' '.join(marked)}</speak>"
