"""The repository's own model, and Whisper on a clip's own length: `python -m benchmarks.released`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from benchmarks.clips import speech, voice, write_wavs
from benchmarks.measure import Laps, Line, Run, Usage, command_line, race, ratio, run_command, seconds, spread
from common.checkpoint import load_checkpoint
from common.checkpoint_name import DEFAULT_CHECKPOINT
from inference.engine.predictor import load_predictor
from modeling import SAMPLING_RATE, load_audio

LENGTHS_S = (2.0, 4.0, 6.0)
_STARTS = 3
_PRECISIONS = ("float32", "auto")
_IMPORT = "import"
_PADDED = "on 30 s"
ROOT = Path(__file__).parent.parent


def ours(clips: Sequence[np.ndarray], batch_size: int = 1, precision: str = "float32") -> Run:
    """The model on clips; it returns their seconds of audio."""
    predict = load_predictor(DEFAULT_CHECKPOINT, batch_size=batch_size, precision=precision)
    predict(clips[:1])

    def run() -> float:
        predict(clips)
        return sum(clip.size for clip in clips) / SAMPLING_RATE

    return run


def padded(clips: Sequence[np.ndarray]) -> Run:
    """The same layers in transformers' encoder, whose feature extractor pads every clip to 30 s."""
    config = load_checkpoint(DEFAULT_CHECKPOINT)[0].config
    fields = {name: getattr(config, name) for name in WhisperConfig().to_dict() if hasattr(config, name)}
    encoder = WhisperEncoder(WhisperConfig(**{**fields, "model_type": "whisper"})).eval()
    extract = WhisperFeatureExtractor(feature_size=config.num_mel_bins)

    @torch.inference_mode()
    def run() -> float:
        for clip in clips:
            features: Any = extract(clip, sampling_rate=SAMPLING_RATE, return_tensors="pt")
            encoder(features.input_features).last_hidden_state.mean(dim=1)
        return sum(clip.size for clip in clips) / SAMPLING_RATE

    return run


def measure(quick: bool) -> list[Line]:
    """Lines on lengths, on clips of people, and on `predict.py` as a whole."""
    clips, what = speech(4 if quick else 100)
    return [
        *(_length(length, quick) for length in LENGTHS_S),
        _clips(clips[:2] if quick else clips[::4], what),
        *_command(clips, what),
    ]


def _length(length: float, quick: bool) -> Line:
    clips = [voice(length, seed) for seed in range(1 if quick else 4)]
    laps = race({"ours": partial(ours, clips), _PADDED: partial(padded, clips)}, budget_s=10)
    return Line(
        f"a clip of {length:g} s, alone",
        "the same layers of transformers' WhisperEncoder, on 30 s",
        **ratio(laps, "ours", _PADDED),
        target=4.0 if length == 4 else None,
        note=f"{len(clips)} clips, front end included: {seconds(laps)}.",
    )


def _clips(clips: Sequence[np.ndarray], what: str) -> Line:
    laps = race({"ours": partial(ours, clips, 8), _PADDED: partial(padded, clips)}, budget_s=20)
    return Line(
        "clips of mixed length, in batches of 8",
        "the same layers of transformers' WhisperEncoder, on 30 s",
        **ratio(laps, "ours", _PADDED),
        target=None,
        note=f"{len(clips)} of {what}: {seconds(laps)}.",
    )


def command(arguments: Sequence[str]) -> Run:
    """A command of Python; it returns what it took."""
    return partial(run_command, arguments, ROOT)


def _command(clips: Sequence[np.ndarray], what: str) -> list[Line]:
    with tempfile.TemporaryDirectory() as temporary:
        files = write_wavs(Path(temporary, "clips"), clips)
        audio_s = sum(load_audio(file).size for file in files) / SAMPLING_RATE
        run_command(["predict.py", str(files[0].parent)], ROOT)  # the first start compares the precisions
        importing = {_IMPORT: ["-c", "from transformers import PreTrainedModel"]}
        one, all_ = _in_turns({**importing, **_commands(files[:1])}), _in_turns(_commands(files))
    return [
        Line(
            "predict.py, one file, float32, over an import",
            "importing PreTrainedModel from transformers",
            **ratio(one, "float32", _IMPORT),
            target=None,
            note=f"From the start of Python to its end: {seconds(one)}.",
        ),
        *(
            line
            for name in _PRECISIONS
            for line in _of_command(name, one[name].results, all_[name].results, audio_s, what)
        ),
    ]


def _commands(files: Sequence[Path]) -> dict[str, list[str]]:
    """`predict.py` with files in each precision."""
    return {name: ["predict.py", *map(str, files), "--precision", name] for name in _PRECISIONS}


def _in_turns(commands: Mapping[str, Sequence[str]]) -> dict[str, Laps]:
    ways = {name: partial(command, arguments) for name, arguments in commands.items()}
    return race(ways, budget_s=0, min_rounds=_STARTS, max_rounds=_STARTS)


def _of_command(name: str, one: Sequence[Usage], all_: Sequence[Usage], audio_s: float, what: str) -> list[Line]:
    return [
        Line(
            f"predict.py, one file, {name}",
            "a promise",
            **spread([used.seconds for used in one]),
            target=6.0,
            at_least=False,
            unit=" s",
            note="From the start of Python to its end.",
        ),
        Line(
            f"predict.py, a folder, {name}",
            "real time",
            **spread([audio_s / used.seconds for used in all_]),
            target=15.0,
            note=f"{what}, start included.",
        ),
        Line(
            f"predict.py, a folder, {name}, memory",
            "a promise",
            **spread([used.peak_mb / 1000 for used in all_]),
            target=1.0,
            at_least=False,
            unit=" GB",
            note="The peak of the process.",
        ),
    ]


if __name__ == "__main__":
    command_line(measure, __doc__ or "")
