"""Example recordings for the page, synthesized with eSpeak NG where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from preprocessing.demo.corpus import PROSODY, SAMPLING_RATE, Espeak
from preprocessing.demo.sentences import ESPEAK_VOICES, SENTENCES

# Lines of each: locale, number of the sentence, voice, prosody. The demo is trained on none of these voices.
EXAMPLES = {
    "A conversation in four moods": (
        ("en-US", 0, "m3", "neutral"),
        ("en-US", 5, "f2", "surprise"),
        ("en-US", 2, "m3", "angry"),
        ("en-US", 3, "f2", "sad"),
        ("en-US", 4, "m3", "angry"),
        ("en-US", 1, "f2", "happy"),
    ),
    "German, happy": (("de-DE", 0, "f4", "happy"),),
    "Italian, angry": (("it-IT", 3, "m6", "angry"),),
}
_PAUSE_S = 0.7
_NOISE = 30  # of 32768: a quiet room


def write_examples(folder: Path) -> dict[str, Path]:
    """Synthesizes the examples.

    Returns:
        Title -> file; empty if eSpeak NG (`espeakng-loader`) is not installed.
    """
    try:
        espeak = Espeak()
    except ImportError:
        return {}
    files = {}
    for title, lines in EXAMPLES.items():
        pause = np.zeros(round(_PAUSE_S * SAMPLING_RATE), np.int16)
        spoken = [pause]
        for locale, sentence, voice, emotion in lines:
            name = f"{ESPEAK_VOICES[locale]}+{voice}"
            spoken += [espeak.speak(SENTENCES[locale][sentence], name, PROSODY[emotion]), pause]
        sound = np.concatenate(spoken)
        noise = np.random.default_rng(0).normal(scale=_NOISE, size=sound.size)
        files[title] = folder / f"{title}.wav"
        soundfile.write(files[title], (sound + noise).clip(-32768, 32767).astype(np.int16), SAMPLING_RATE)
    return files
