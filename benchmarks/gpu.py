"""Encoders at full size on one GPU, training and inference, beside their peers: `python -m benchmarks.gpu`.

All is in bfloat16. Without a GPU it measures nothing. `--device cpu --quick` runs it at toy size. `--only` measures a
part, which stays out of the page that `python -m benchmarks` writes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.clips import waveforms, write_wavs
from benchmarks.encoders import CHECKPOINTS, Checkpoint, whisper
from benchmarks.gpu_race import STAGES, Race, now
from benchmarks.inference import ours as predict_ours
from benchmarks.inference import stock as predict_stock
from benchmarks.measure import race as in_turns
from benchmarks.measure import ratio, spread
from benchmarks.models import TOY, write_checkpoint
from benchmarks.rates import Rate, format_rates
from common.command_line import FlagParser
from modeling import SAMPLING_RATE

FILES, ROUNDS = 512, 2
OUR_BATCH, STOCK_BATCHES = 32, (8, 32)
XLSR_53 = "facebook/wav2vec2-large-xlsr-53"
NETWORKS = (
    *(named for named in CHECKPOINTS if named.name in (XLSR_53, "microsoft/wavlm-large", "openai/whisper-large-v3")),
    Checkpoint("models/whisper-base-ser", "whisper", whisper(512, 4)),
)
TOY_WHISPER = whisper(64, 2)
FILES_STAGE = "files"
# `torch.compile` is measured with two of them, because compiling is slow.
COMPILED = (XLSR_53, NETWORKS[-1].name)


def product_rate(device: torch.device, size: int) -> float:
    """Operations a second of a bfloat16 matrix product."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    taken = []
    for _ in range(8):
        start = now(device)
        left @ right
        taken.append(now(device) - start)
    return 2 * size**3 / min(taken)


def toy(network: Checkpoint) -> Checkpoint:
    """The same architecture at toy size."""
    small = TOY_WHISPER if network.architecture == "whisper" else {**TOY, "num_hidden_layers": 2}
    return replace(network, fields={**network.fields, **small})


def measure(only: Sequence[str], device: torch.device, quick: bool) -> Iterator[list[Rate]]:
    """Networks in each way, in turns, and `files` beside the stock pipeline."""
    for network in NETWORKS:
        if network.name in only:
            yield from measure_network(toy(network) if quick else network, device, quick)
    if FILES_STAGE in only:
        yield over_files(quick)


def measure_network(network: Checkpoint, device: torch.device, quick: bool) -> Iterator[list[Rate]]:
    """Training, then inference of a network in each way."""
    product = product_rate(device, 128 if quick else 8192)
    for stage in STAGES:
        sized = replace(stage, batch_size=4, clips=16) if quick else stage
        model = network.build().to(device)
        race = Race(model, sized, network.name in COMPILED)
        yield race.rates(network.name, product, 1 if quick else ROUNDS)
        torch.compiler.reset()


def over_files(quick: bool) -> list[Rate]:
    """XLSR-53's shape over a folder of files, beside the stock pipeline, each in a process of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        clips = waveforms(4 if quick else FILES)
        folder = Path(temporary, "clips")
        write_wavs(folder, clips)
        checkpoint = write_checkpoint(Path(temporary, "checkpoint"), 2 if quick else 24, quick=quick)
        ways = {"ours": partial(predict_ours, folder, checkpoint, precision="bfloat16", batch_size=OUR_BATCH)}
        stocks = {
            str(size): partial(predict_stock, folder, checkpoint, size, dtype=torch.bfloat16) for size in STOCK_BATCHES
        }
        laps = in_turns({**ways, **stocks}, min_rounds=1 if quick else ROUNDS, max_rounds=ROUNDS, budget_s=0)
    audio_s = sum(clip.size for clip in clips) / SAMPLING_RATE
    rates = []
    for way, lap in laps.items():
        found = spread([len(clips) / seconds for seconds in lap.seconds])
        words, size = ("`Predictor`", OUR_BATCH) if way == "ours" else ("the stock pipeline", int(way))
        rates.append(
            Rate(
                XLSR_53,
                FILES_STAGE,
                words,
                size,
                len(clips),
                found["value"],
                found["low"],
                found["high"],
                audio_hours_per_hour=audio_s / lap.median,
                over=ratio(laps, "ours", way)["value"],
            )
        )
    return rates


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="toy sizes: shows that it works, not how fast it is")
    parts = [*(network.name for network in NETWORKS), FILES_STAGE]
    parser.add_argument(
        "--only", nargs="+", choices=parts, default=parts, help="networks, and files: a folder of them (default: all)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="where the rates go")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("This machine has no GPU, so nothing was measured.")
        return
    device = torch.device(args.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    rates: list[Rate] = []
    for found in measure(args.only, device, args.quick):
        rates += found
        print(format_rates(found, name), flush=True)
        if args.output:
            content = {"device": name, "rates": [asdict(rate) for rate in rates]}
            args.output.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
