"""Clips -> the 88 functionals of eGeMAPSv02 (Eyben et al. 2016), which openSMILE computes."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import numpy as np
from datasets import Dataset

from modeling import SAMPLING_RATE

from ..waveform_features import waveform_features

LICENSE = "openSMILE's license (audEERING) allows non-commercial use and research only"
_PACKAGE = "opensmile"
_LEAST_S = 0.1  # in less, there is not one value of each descriptor


def check_opensmile() -> None:
    """Refuses to begin without openSMILE.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        raise ModuleNotFoundError(
            f"eGeMAPS features need `{_PACKAGE}`, of the extra `egemaps`: pip install {_PACKAGE}. {LICENSE}.",
            name=_PACKAGE,
        )


def egemaps_features(clips: Dataset, max_duration_s: float) -> np.ndarray:
    """`(clips, 88)` in float32, of at most this much of each clip's beginning."""
    return waveform_features(egemaps, clips, max_duration_s, "eGeMAPS")


def egemaps(waveform: np.ndarray) -> np.ndarray:
    """The functionals of a waveform.

    Args:
        waveform: of shape `(samples,)`, 16 kHz; one below 0.1 s is padded with zeros.

    Returns:
        Shape `(88,)`, in the order and the units of openSMILE.
    """
    missing = round(_LEAST_S * SAMPLING_RATE) - waveform.size
    padded = np.pad(waveform, (0, max(0, missing)))
    return _smile()(padded, SAMPLING_RATE)[0, :, 0]


@cache
def _smile() -> Any:
    """One per process: it cannot be passed to another."""
    import opensmile

    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
