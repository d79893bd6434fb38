"""Sounds in which a speech detector finds speech, and sounds in which it must not; at 16 kHz."""

import numpy as np
from scipy.signal import lfilter, sawtooth, square

from tests.inference.conftest import music, noise


def babble(seconds, rate=16_000):
    """Vowels, five a second: what a detector takes for speech."""
    time = np.arange(round(seconds * rate)) / rate
    pulses = np.diff(np.floor(np.cumsum(130 * (1 + 0.2 * np.sin(4.4 * time))) / rate), prepend=0)
    syllables = []
    for index, syllable in enumerate(np.array_split(pulses, round(5 * seconds))):
        for formant in ((700, 1200, 2500), (300, 2200, 3000), (500, 900, 2400), (350, 800, 2300))[index % 4]:
            radius = np.exp(-np.pi * 80 / rate)
            syllable = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * formant / rate), radius**2], syllable)
        syllables.append(syllable * np.hanning(syllable.size))
    waveform = np.concatenate(syllables)
    return (0.3 * waveform / np.abs(waveform).max()).astype(np.float32)


TIME = np.arange(96_000) / 16_000
NO_SPEECH = {
    "silence": np.zeros(96_000),
    "next to nothing": np.zeros(16),
    "nothing": np.zeros(0),
    "a constant": np.full(96_000, 0.3),
    "noise": noise(6, 0.1),
    "loud noise": noise(6, 0.5),
    "soft noise": noise(6, 0.0001),
    "short noise": noise(0.05, 0.1),
    "noise that comes and goes": noise(6, 0.3) * (1 + np.sin(2 * np.pi * 4 * TIME)) / 2,
    "a tone": 0.5 * np.sin(2 * np.pi * 440 * TIME),
    "a buzz": 0.3 * sawtooth(2 * np.pi * 150 * TIME),
    "a whistle": 0.3 * square(2 * np.pi * 1200 * TIME),
    "a siren": 0.5 * np.sin(2 * np.pi * np.cumsum(700 + 300 * np.sin(np.pi * TIME)) / 16_000),
    "a ringing tone": 0.3 * (np.sin(2 * np.pi * 440 * TIME) + np.sin(2 * np.pi * 480 * TIME)) * (TIME % 3 < 1),
    "clicks": (np.arange(96_000) % 4000 == 0) * 0.9,
    "chords": music("chords", 6),
    "soft chords": music("chords", 6, 0.01),
    "an arpeggio": music("arpeggio", 6),
    "drums": music("drums", 6),
}
SPEECH = babble(3.0)
