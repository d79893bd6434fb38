"""What share of the frames that an epoch computes holds audio: `python -m benchmarks.padding`."""

from __future__ import annotations

import numpy as np

from benchmarks.clips import MAX_S, durations
from benchmarks.measure import Line, command_line, spread
from modeling import SAMPLING_RATE
from training.sampler import LengthGroupedBatches

BATCH = 8
EFFECTIVE_BATCHES = (32, 64)  # one process with 4 accumulated batches of 8, and two
EPOCHS = 3
_KERNELS, _STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)  # of every wav2vec 2.0


def frames(seconds: np.ndarray) -> np.ndarray:
    """Frames that wav2vec 2.0 computes from clips of these durations."""
    length = np.round(seconds * SAMPLING_RATE).astype(int)
    for kernel, stride in zip(_KERNELS, _STRIDES, strict=True):
        length = (length - kernel) // stride + 1
    return length


def share(lengths: np.ndarray, order: np.ndarray) -> float:
    """Share of audio where clips are processed in this order, in batches padded to the longest."""
    computed = [BATCH * lengths[order[i : i + BATCH]].max() for i in range(0, len(order) - BATCH + 1, BATCH)]
    return lengths[order[: len(computed) * BATCH]].sum() / sum(computed)


def grouped(seconds: np.ndarray, batch_size: int, epoch: int = 0) -> list[int]:
    """The order of an epoch's clips in training."""
    return list(LengthGroupedBatches(seconds.tolist(), batch_size, 0, lambda: epoch))


def measure(quick: bool) -> list[Line]:
    """Ours over epochs and numbers of processes, beside random batches and 6 s."""
    seconds = durations(2_000 if quick else 102_838)
    lengths = frames(seconds)
    ours: list[float] = []
    for batch_size in EFFECTIVE_BATCHES:
        epochs = [grouped(seconds, batch_size, epoch) for epoch in range(EPOCHS)]
        for order in epochs:
            assert sorted(order) == list(range(len(seconds))), "an epoch holds every clip once"
        batches = [{frozenset(order[i : i + BATCH]) for i in range(0, len(order), BATCH)} for order in epochs]
        assert len(batches[0] & batches[1]) < 0.02 * len(batches[0]), "epochs differ in their batches"
        ours += [share(lengths, np.array(order)) for order in epochs]
    random = share(lengths, np.random.default_rng(0).permutation(len(lengths)))
    padded = lengths.mean() / frames(np.array([MAX_S]))[0]
    few = {
        count: share(frames(durations(count)), np.array(grouped(durations(count), 32)))
        for count in (100, 1_000, 10_000)
    }
    return [
        Line(
            "share of computed frames that hold audio in an epoch",
            f"6 s: {padded:.2f}; random batches of 8: {random:.2f}",
            **spread(ours),
            target=0.97,
            unit="",
            note=f"{len(lengths):,} lengths, {EPOCHS} epochs, effective batches of 32 and 64 in parts of 8; every clip "
            "once an epoch, and other batches in each. Small corpora: "
            + ", ".join(f"{count:,} clips {value:.3f}" for count, value in few.items())
            + ".",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
