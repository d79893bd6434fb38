"""Small good recordings -> what a decoder may be given instead, by chance and on from whatever was new to it.

    python -m tests.support.fuzzing SECONDS FOLDER

The search keeps what reached a line of the decoder, or an outcome, that nothing had reached before, and continues
from it. It runs in child processes, so that a crash, a hang and memory that grows are findings too; those that it
finds are written to FOLDER.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import resource
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from modeling import AudioError, AudioReader
from tests.support.bad_audio import sound, sounds

DECODER = (
    *("audio_ser.py", "audio_channels_ser.py", "audio_ogg_ser.py", "audio_resampling_ser.py"),
    *("audio_pyav_ser.py", "audio_libsndfile_ser.py"),
)
NUMBERS = (
    *range(4),
    7,
    16,
    127,
    128,
    255,
    *(2**bits - lower for bits in (15, 16, 24, 31, 32, 63, 64) for lower in (0, 1)),
)
LARGEST = 200_000  # bytes
PER_CHILD = 250
HANGS_S = 20
GROWTH_MB = 500


def seeds(seconds: float = 0.3) -> list[bytes]:
    """A short good recording in each format."""
    return [sound(suffix, seconds) for suffix in sounds()]


def mutate(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """One to four things done to a file: bits, numbers of all widths, stretches that go, come, move or are others'."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        # Headers are short, and their fields matter most.
        at = chance.randrange(min(len(changed), chance.choice((64, 1024, 1 << 20))) or 1)
        length = chance.choice((1, 2, 4, 8, 100, len(changed) // 3))
        match chance.randrange(8):
            case 0 if changed:
                changed[at] ^= 1 << chance.randrange(8)
            case 1 if changed:
                changed[at] = chance.randrange(256)
            case 2 | 3:
                width = chance.choice((1, 2, 4, 8))
                number = chance.choice(NUMBERS) % 256**width
                changed[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
            case 4:
                del changed[at : at + length]
            case 5:
                changed[at:at] = changed[at : at + length] * chance.choice((1, 1, 50))
            case 6:
                del changed[at:]
            case 7:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                changed[at : at + length] = other[start : start + length]
    return bytes(changed[:LARGEST])


def decode(content: bytes) -> str:
    """What the decoder makes of a file, without its figures.

    Raises:
        Exception: a defect: the decoder raises an `AudioError` or nothing.
    """
    try:
        with AudioReader(content) as audio:
            audio.read(0.0, 6.0)
            assert audio.duration_s is None or audio.duration_s >= 0
            seconds = sum(block.size for block in itertools.islice(audio.blocks(20.0), 4)) // 16_000
        with AudioReader(content, channel=audio.channels - 1) as audio:
            audio.read(0.05)
    except AudioError as error:
        return re.sub(r"\d[\d.e+-]*", "#", str(error))
    return f"decoded {min(seconds, 2)} s"


@dataclass
class Search:
    """What has been tried and found.

    Args:
        kept: the seeds, and what was new.
        reached: lines of the decoder, and outcomes, by name.
        outcomes: how often each.
        findings: files that the decoder does not bear, and why.
    """

    kept: list[bytes]
    reached: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[bytes, str] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        """Searches for so many seconds of a processor's time."""
        began = _computed_s()
        for content in list(self.kept):
            self._try([content])
        for generation in itertools.count():
            if _computed_s() - began > seconds:
                return
            chance = random.Random(generation)
            # What came last is what is least known.
            parents = [self.kept[-1 - int(len(self.kept) * chance.random() ** 2)] for _ in range(PER_CHILD)]
            self._try([mutate(parent, chance, self.kept) for parent in parents])

    def _try(self, contents: list[bytes]) -> None:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _decode_all(contents, writer)
        os.close(writer)
        with os.fdopen(reader) as lines:
            results = [json.loads(line) for line in lines if line.endswith("\n")]
        _, status = os.waitpid(child, 0)
        for content, (outcome, reached) in zip(contents, results, strict=False):
            self.outcomes[outcome] += 1
            if not self.reached >= {*reached, outcome}:
                self.reached |= {*reached, outcome}
                self.kept.append(content)
            if outcome.startswith("!"):
                self.findings[content] = outcome
        if len(results) < len(contents):
            self.findings[contents[len(results)]] = f"! ended by {signal.Signals(os.WTERMSIG(status)).name}"
            self._try(contents[len(results) + 1 :])


def _computed_s() -> float:
    return sum(os.times()[:4])  # of this process and its children


def _decode_all(contents: list[bytes], writer: int) -> None:
    """Of each file a line: what was made of it, and the lines of the decoder that it reached."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # FFmpeg and mpg123 print a lot
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for content in contents:
        signal.setitimer(signal.ITIMER_PROF, HANGS_S)
        reached: set[str] = set()
        sys.settrace(lambda frame, event, _, reached=reached: _follow(frame, reached))
        try:
            outcome = decode(content)
        except BaseException as error:
            outcome = f"!{type(error).__name__}: {error}"
        sys.settrace(None)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        if growth > GROWTH_MB:
            outcome = "! takes too much memory"
        os.write(writer, json.dumps([outcome, sorted(reached)]).encode() + b"\n")
        if growth > GROWTH_MB:
            break
    os._exit(0)


def _follow(frame, reached: set[str]):
    file = Path(frame.f_code.co_filename).name
    if file not in DECODER:
        return None

    def note(frame, event, _):
        reached.add(f"{file}:{frame.f_lineno}")
        return note

    return note


def main(seconds: float, folder: Path) -> None:
    """Searches, and prints what was found."""
    search = Search(seeds())
    with contextlib.suppress(KeyboardInterrupt):
        search.run(seconds)
    tried, lines = sum(search.outcomes.values()), sum(":" in name for name in search.reached)
    print(f"{tried:,} files tried, {len(search.kept)} kept, {lines} lines reached, {len(search.findings)} findings")
    for outcome, count in search.outcomes.most_common(20):
        print(f"{count:>8,}  {outcome}")
    folder.mkdir(parents=True, exist_ok=True)
    for number, (content, why) in enumerate(search.findings.items()):
        (folder / f"{number:03}.bin").write_bytes(content)
        print(f"{number:03}.bin ({len(content)} bytes): {why}")


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
