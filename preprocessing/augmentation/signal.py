"""Changes of a waveform that recording and transmission cause.

A waveform is mono float32 at 16 kHz, of shape `(samples,)`, full scale ±1. Nothing here limits its level to full scale.
"""

from __future__ import annotations

import numpy as np
import soxr
from scipy.fft import irfft, next_fast_len
from scipy.signal import butter, oaconvolve, sosfilt

from modeling import SAMPLING_RATE

_TELEPHONE_RATE = 8_000
_TELEPHONE_BAND = butter(8, (300, 3400), "bandpass", fs=_TELEPHONE_RATE, output="sos")
_MU = 255  # of ITU-T G.711
_FIRST_REFLECTION_S = 0.002


def change_level(waveform: np.ndarray, gain_db: float) -> np.ndarray:
    """Multiplies by a gain."""
    return waveform * np.float32(10 ** (gain_db / 20))


def mix(waveform: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Adds noise of the same length at a ratio of the two powers over the whole clip; a silent clip stays as it is."""
    power, noise_power = (float(np.dot(signal, signal)) for signal in (waveform, noise))
    if power == 0 or noise_power == 0:
        return waveform
    return waveform + noise * np.float32(np.sqrt(power / noise_power) * 10 ** (-snr_db / 20))


def colored_noise(size: int, exponent: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian noise of `size` samples with a power spectrum of `1 / frequency ** exponent`.

    Exponent 0 is white noise, 1 pink, 2 brown. It has no offset, and its level is arbitrary.
    """
    length = next_fast_len(size, real=True)
    bins = length // 2 + 1
    real, imaginary = random.standard_normal((2, bins), dtype=np.float32)
    weights = np.arange(bins, dtype=np.float32)
    weights[1:] **= np.float32(-exponent / 2)  # the first stays 0
    return irfft(weights * (real + 1j * imaginary), length)[:size].astype(np.float32)


def room_impulse_response(rt60_s: float, direct_db: float, random: np.random.Generator) -> np.ndarray:
    """A synthetic impulse response: the direct sound, and 2 ms later noise that decays exponentially.

    Args:
        rt60_s: time in which the reverberation decays by 60 dB, in seconds.
        direct_db: ratio of the energies of the direct sound and the reverberation, in dB.
        random: random generator of the noise.

    Returns:
        Of shape `(samples,)`, with an energy of 1, so that reverberation hardly changes the level of a clip.
    """
    size = max(2, round(rt60_s * SAMPLING_RATE))
    decay = 10 ** (-3 * np.arange(size, dtype=np.float32) / size)
    tail = decay * random.standard_normal(size, dtype=np.float32)
    tail *= np.float32(10 ** (-direct_db / 20)) / np.linalg.norm(tail)
    silence = np.zeros(round(_FIRST_REFLECTION_S * SAMPLING_RATE) - 1, dtype=np.float32)
    response = np.concatenate([np.ones(1, dtype=np.float32), silence, tail])
    return response / np.linalg.norm(response)


def reverberate(waveform: np.ndarray, impulse_response: np.ndarray) -> np.ndarray:
    """Convolves with an impulse response; what reverberates after the end is cut off."""
    convolved: np.ndarray = oaconvolve(waveform, impulse_response)[: waveform.size]
    return convolved.astype(np.float32)


def telephone(waveform: np.ndarray) -> np.ndarray:
    """A narrow-band call: 300–3400 Hz at 8 kHz, in 8 bits by µ-law (ITU-T G.711), which limits it to full scale."""
    narrow = sosfilt(_TELEPHONE_BAND, soxr.resample(waveform, SAMPLING_RATE, _TELEPHONE_RATE))
    magnitude = np.log1p(_MU * np.minimum(np.abs(narrow), 1)) / np.log1p(_MU)
    codes = np.round(127 * magnitude)  # 7 bits, without the sign
    narrow = np.sign(narrow) * np.expm1(codes / 127 * np.log1p(_MU)) / _MU
    return _of_length(soxr.resample(narrow.astype(np.float32), _TELEPHONE_RATE, SAMPLING_RATE), waveform.size)


def mp3(waveform: np.ndarray, kbps: int) -> np.ndarray:
    """Encodes as MP3 at a constant bit rate and decodes it, in place and length as before.

    A waveform beyond full scale, which the encoder would distort, is encoded at a lower level and restored.
    """
    from fast_mp3_augment import compress_roundtrip  # an extra: 4 to 8 times as fast as PyAV on short clips

    scale = np.float32(max(1.0, float(np.abs(waveform).max())))
    return compress_roundtrip(np.ascontiguousarray(waveform / scale), SAMPLING_RATE, kbps) * scale


def clip_peaks(waveform: np.ndarray, percent: float) -> np.ndarray:
    """Limits the magnitude so that this share of the samples, the loudest, is cut off."""
    magnitude = np.abs(waveform)
    place = max(0, waveform.size - 1 - round(percent / 100 * waveform.size))
    limit = np.partition(magnitude, place)[place]
    return np.clip(waveform, -limit, limit)


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Resamples, so that the clip is `1 / factor` times as long and its pitch `factor` times as high."""
    resampled: np.ndarray = soxr.resample(waveform, SAMPLING_RATE * factor, SAMPLING_RATE)
    return resampled


def _of_length(waveform: np.ndarray, size: int) -> np.ndarray:
    return np.pad(waveform[:size], (0, max(0, size - waveform.size)))
