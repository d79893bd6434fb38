"""The speed of networks on a card, and its table: what `benchmarks.gpu` measures and the page of results shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """The speed of one way of computing on a device.

    Args:
        network: name of the checkpoint whose shape is measured.
        stage: `training`, `inference`, or `files`, which is inference with decoding and padding.
        way: what is done, in words.
        batch_size: clips that are processed at once.
        clips: how many there were.
        clips_per_second: median of the rounds, with `low` and `high`.
        audio_hours_per_hour: of real audio, without padding.
        over: how many times as fast ours is; 1 for itself.
        memory_gb: peak memory of tensors; `None` where another process computes.
        share_of_product: operations a second, of padding too, over the device's measured rate in a matrix product;
            `None` as before.
    """

    network: str
    stage: str
    way: str
    batch_size: int
    clips: int
    clips_per_second: float
    low: float
    high: float
    audio_hours_per_hour: float
    over: float
    memory_gb: float | None = None
    share_of_product: float | None = None


def format_rates(rates: Sequence[Rate], device: str) -> str:
    """The rates as a Markdown table."""
    lines = [
        f"On {device}, bfloat16, random weights of the shapes named, feature encoder frozen in training:",
        "",
        "| shape | stage | way | batch, clips | clips/s | hours per hour | memory | of matmul | ours is faster by |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for rate in rates:
        memory = "" if rate.memory_gb is None else f"{rate.memory_gb:.1f} GB"
        share = "" if rate.share_of_product is None else f"{rate.share_of_product:.0%}"
        clips = f"{rate.clips_per_second:.0f} ({rate.low:.0f}–{rate.high:.0f})"
        cells = [rate.network, rate.stage, rate.way, f"{rate.batch_size}, {rate.clips}", clips]
        cells += [f"{rate.audio_hours_per_hour:,.0f}", memory, share, f"{rate.over:.2f} ×"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
