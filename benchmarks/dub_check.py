"""The dub check on real recordings: RAVDESS "dubbed" with EMODB, some of its lines with another emotion.

    SER_REAL_AUDIO=… SER_REAL_SPEECH=… python -m benchmarks.dub_check --model runs/demo

Each line is a clip of RAVDESS and, in the dub, one of EMODB with the same emotion, or with another one where it was
swapped. The speakers of a line are random. It prints the result of the check, and how many findings are swapped lines.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from inference.dubbing.__main__ import format_check
from inference.dubbing.compare import DubCheck, check_dub
from inference.engine.predictor import load_predictor
from modeling import SAMPLING_RATE, load_audio

_RAVDESS = {"01": "neutral", "03": "happy", "04": "sad", "05": "angry", "06": "fear", "07": "disgust"}
_EMODB = {"N": "neutral", "F": "happy", "T": "sad", "W": "angry", "A": "fear", "E": "disgust"}
_PAUSES_S = (0.5, 2.0)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="CHECKPOINT")
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--swapped", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, dub, swapped = write_tracks(Path(folder), args.lines, args.swapped)
        check = check_dub(load_predictor(args.model), source, dub)
    print(format_check(check, worst=args.swapped))
    found = findings(check, swapped)
    print()
    for name, (right, wrong) in found.items():
        print(f"{name}: {right + wrong} findings; {right} of them are among the {len(swapped)} swapped lines")


def write_tracks(folder: Path, lines: int, swapped: int) -> tuple[Path, Path, list[float]]:
    """Writes the two tracks; returns them, and when the swapped lines are in the source, in seconds."""
    random = np.random.default_rng(0)
    sources, dubs = _clips()
    emotions = sorted(sources.keys() & dubs.keys())
    others = set(random.choice(lines, swapped, replace=False).tolist())
    tracks: tuple[list, list] = ([], [])
    times, at = [], 0
    for line in range(lines):
        emotion = random.choice(emotions)
        dubbed = random.choice([name for name in emotions if name != emotion]) if line in others else emotion
        clips = [load_audio(_choose(random, sources[emotion])), load_audio(_choose(random, dubs[dubbed]))]
        size = max(clip.size for clip in clips) + round(random.uniform(*_PAUSES_S) * SAMPLING_RATE)
        for track, clip in zip(tracks, map(_trimmed, clips), strict=True):
            track.append(np.pad(clip, (0, size - clip.size)))
        times += [at / SAMPLING_RATE] if line in others else []
        at += size
    for name, track in zip(("source", "dub"), tracks, strict=True):
        soundfile.write(folder / f"{name}.wav", np.concatenate(track), SAMPLING_RATE)
    return folder / "source.wav", folder / "dub.wav", times


def findings(check: DubCheck, swapped: list[float]) -> dict[str, tuple[int, int]]:
    """Of emotion, pitch and energy, how many findings are swapped lines, and how many are not."""
    found = {}
    for name, sign in (("emotion", " in the dub, "), ("pitch", " semitones"), ("energy", " dB")):
        starts = [row["source_start_s"] for row in check.rows if sign in row.get("reason", "")]
        right = sum(any(-0.5 < start - time < 2.0 for time in swapped) for start in starts)
        found[name] = (right, len(starts) - right)
    return found


def _clips() -> tuple[Mapping[str, list[Path]], Mapping[str, list[Path]]]:
    """Emotion -> clips of RAVDESS, and of EMODB."""
    ravdess, emodb = defaultdict(list), defaultdict(list)
    audio, speech = Path(os.environ["SER_REAL_AUDIO"]), Path(os.environ["SER_REAL_SPEECH"])
    for path in sorted([*audio.glob("ravdess/*/*.wav"), *speech.glob("ravdess/*/*.wav")]):
        if path.name[6:8] in _RAVDESS:
            ravdess[_RAVDESS[path.name[6:8]]].append(path)
    for path in sorted(speech.glob("emodb/wav/*.wav")):
        if path.name[5] in _EMODB:
            emodb[_EMODB[path.name[5]]].append(path)
    return ravdess, emodb


def _choose(random: np.random.Generator, clips: list[Path]) -> Path:
    return clips[random.integers(len(clips))]


def _trimmed(clip: np.ndarray) -> np.ndarray:
    """Without the silence before it, which RAVDESS has a second of."""
    return clip[np.flatnonzero(np.abs(clip) > 0.05 * np.abs(clip).max())[0] :]


if __name__ == "__main__":
    main()
