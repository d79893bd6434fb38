"""PAVOQUE: corpus of expressive speech.

psibre 2016, Pavoque Corpus of Expressive Speech, github.com/marytts/pavoque-data/releases. One man, the actor Stefan
Röttig, who reads German in five styles: 3,126 utterances are neutral, 601 angry, 584 happy, 556 sad, 575 in the manner
of a poker player; 1,892 more are outtakes. 44.1 kHz, 16 bit, mono. CC BY-NC-SA 4.0.

A recording holds all utterances of a style. A file next to it gives their bounds in seconds:

    pavoque-angry.flac
    pavoque-angry.yaml
    - prompt: spike0008
      text: Ach ja?
      style: angry
      start: 27.0
      end: 28.92

The authors' `./gradlew wav` cuts the recordings, without the outtakes:

    build/wav/spike0030a-angry.wav
    prompt (a letter behind its number is the version) - style

Both forms are read, and give the same ids; where both are there, it is the cut one. The paper leaves out poker and the
outtakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters
from typing import Any

import yaml

from common.audio_files import walk
from common.text_files import read_text

from ..clip import IS_COPY, UNEXPECTED_NAME, Clip, SkippedClip, clip_id
from .corpus import ClipFields, Corpus

# Reasons of skipped clips
ALREADY_CUT = "also a file of its own"
MISSING_RECORDING = "a YAML file describes a recording that does not exist"
OUTTAKE = "an outtake"

STYLES = ("angry", "happy", "neutral", "poker", "sad")
RECORDINGS = {f"pavoque-{name}" for name in (*STYLES, "outtakes")}
PATTERN = rf"(?P<prompt>[^/]*\d[a-z]?)-(?P<style>{'|'.join(STYLES)})\.wav"


class _Pavoque(Corpus):
    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Reads utterances, cut or uncut. Raises a `ValueError` if a recording lacks the file with their bounds."""
        cut = set()
        for entry in super().read(root):
            if isinstance(entry, Clip):
                cut.add(entry.id.casefold())
            yield entry
        seen = set()
        for path in walk(root, (".flac",)):
            found = clip_id(self.name, path.relative_to(root))
            name = path.stem.lower()
            if name not in RECORDINGS:
                yield SkippedClip(found, UNEXPECTED_NAME)
            elif name in seen:
                yield SkippedClip(found, IS_COPY, "duplicate")
            else:
                seen.add(name)
                for entry in _utterances(path):
                    there = isinstance(entry, Clip) and entry.id.casefold() in cut
                    copy = SkippedClip(f"{entry.id} in {path.name}", ALREADY_CUT, "duplicate")
                    yield copy if there else entry
        if not cut:
            yield from self._missing_recordings(root, seen)

    def _missing_recordings(self, root: Path, seen: set[str]) -> Iterator[SkippedClip]:
        for path in walk(root, (".yaml",)):
            if path.stem.lower() in RECORDINGS - seen:
                missing = clip_id(self.name, path.relative_to(root).with_suffix(".flac"))
                yield SkippedClip(missing, MISSING_RECORDING)


def _utterances(recording: Path) -> Iterator[Clip | SkippedClip]:
    """The segments of one recording."""
    table = recording.with_suffix(".yaml")
    if not table.is_file():
        raise ValueError(f"{recording}: expected {table.name} next to it, which gives the bounds of its utterances.")
    # libyaml's loader: the files are long, since they also hold the phones, and the other one takes minutes.
    try:
        utterances = yaml.load(read_text(table), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{table}: not a YAML file ({error}).") from error
    listed: list[Any] = utterances if isinstance(utterances, list) else [None]
    for utterance in listed:
        try:
            start_s, end_s = float(utterance["start"]), float(utterance["end"])
            described = _describe({name: str(utterance[name]) for name in ("prompt", "style")})
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"{table}: expected utterances with prompt, style, start and end ({error}).") from error
        if recording.stem.lower() == "pavoque-outtakes":
            yield SkippedClip(clip_id(CORPUS.name, recording.name, start_s), OUTTAKE, "rule")
            continue
        yield Clip(
            id=clip_id(CORPUS.name, f"{utterance['prompt']}-{utterance['style']}.wav"),
            path=recording,
            start_s=start_s,
            end_s=end_s,
            corpus=CORPUS.name,
            locale=CORPUS.locale,
            style=CORPUS.style,
            **described,
        )


def _describe(fields: dict[str, str]) -> ClipFields:
    return {
        "speaker": "Röttig",
        "sentence": fields["prompt"].rstrip(ascii_letters),
        "gender": "male",
        "raw_label": fields["style"],
    }


CORPUS = _Pavoque(
    name="pavoque",
    title="Pavoque",
    locale="de-DE",
    style="acted",
    homepage="https://github.com/marytts/pavoque-data",
    license="CC BY-NC-SA 4.0",
    commercial=False,
    redistributable=True,
    paper_clips=4867,
    form="pavoque-STYLE.flac with pavoque-STYLE.yaml, or PROMPT-STYLE.wav",
    pattern=PATTERN,
    describe=_describe,
)
