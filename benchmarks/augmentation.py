"""What augmentation adds to a clip of a training, one core: `python -m benchmarks.augmentation`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from datasets import Dataset

from benchmarks.clips import speech
from benchmarks.measure import Line, command_line, one_core, spread
from modeling import SAMPLING_RATE
from preprocessing.augmentation.augment import Augmentation
from preprocessing.augmentation.transforms import TRANSFORMS
from preprocessing.stored_audio import encode_waveform, stored_waveform

CLIPS = 40
PROBABILITY = 0.25  # the default of train.py


def prepared_clips(count: int) -> tuple[Dataset, str]:
    """Rows with what augmentation reads of a prepared table, and what they are."""
    waveforms, what = speech(count)
    stored = [encode_waveform(waveform) for waveform in waveforms]
    rows = [
        {"id": str(index), "audio": {"bytes": audio, "path": None}, "scale": scale}
        for index, (audio, scale) in enumerate(stored)
    ]
    return Dataset.from_list(rows), what


def milliseconds(augmentation: Augmentation, clips: Dataset, rounds: int) -> Iterator[float]:
    """The mean processor time per clip in each of several epochs, without that of reading the clip."""
    read = [(row, stored_waveform(row)) for row in clips]
    for epoch in range(rounds):
        augmentation.set_epoch(epoch)
        start = time.process_time()
        for row, waveform in read:
            augmentation(row, waveform)
        yield 1000 * (time.process_time() - start) / len(read)


def measure(quick: bool) -> list[Line]:
    """All transforms at the default probability, and each of them alone."""
    one_core()
    clips, what = prepared_clips(4 if quick else CLIPS)
    rounds = 1 if quick else 5
    alone = {
        name: statistics.median(milliseconds(Augmentation([name], 1.0, 0, clips), clips, rounds)) for name in TRANSFORMS
    }
    mixed = [*milliseconds(Augmentation([*TRANSFORMS], PROBABILITY, 0, clips), clips, rounds)]
    mean_s = sum(stored_waveform(row).size for row in clips) / SAMPLING_RATE / len(clips)
    each = ", ".join(f"{name} {value:.2g} ms" for name, value in alone.items())
    return [
        Line(
            "augmentation of a clip, one core",
            f"all {len(TRANSFORMS)} transforms, each with a probability of {PROBABILITY}",
            **spread(mixed),
            target=5.0,
            at_least=False,
            unit=" ms",
            note=f"{what} of {mean_s:.1f} s on average; each transform alone: {each}.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
