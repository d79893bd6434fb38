"""Prepared clips -> a folder that the Hub shows as a data set, of corpora whose license allows it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import TypedDict

from datasets import Audio, DatasetDict
from huggingface_hub import DatasetCardData

from .escape import plain
from .license import hub_id
from .metadata import languages

CLIPS_PER_FILE = 4096  # some 400 MB


class License(TypedDict):
    """Under which license a corpus is, and where to read it; of a user's own audio nothing but what they say."""

    license: str
    homepage: str


def read_licenses(prepared: Path, license: str | None) -> dict[str, License]:
    """The licenses under which the clips of a prepared folder may be passed on.

    Args:
        prepared: the folder; what it says of its corpora stands in its report.
        license: that of the user's own audio; by default the one that was stated when it was prepared.

    Returns:
        Corpus -> its license.

    Raises:
        ValueError: the folder is none, a corpus may not be passed on, or `license` is missing or is of nothing.
    """
    path = prepared / "report.json"
    if not path.is_file():
        raise ValueError(f"{prepared} is not a prepared folder: it has no report.json. Make one with prepare.py.")
    corpora, known = _read_report(path)
    if missing := [name for name in corpora if name not in known]:
        raise ValueError(f"{path} does not say under which license {', '.join(missing)} is: run prepare.py again.")
    own = [name for name in corpora if not (known[name] and known[name]["homepage"])]
    closed = [name for name in corpora if name not in own and not known[name]["redistributable"]]
    if closed:
        reasons = "; ".join(f"{name} ({known[name]['license']}, {known[name]['homepage']})" for name in closed)
        raise ValueError(
            f"The license does not plainly allow to pass on the recordings of {reasons}. Prepare a folder without "
            "them: prepare.py --license_use redistributable."
        )
    if unsaid := [name for name in own if not (license or (known[name] and known[name]["redistributable"]))]:
        raise ValueError(
            f"Only you know under which license {', '.join(unsaid)} may be passed on: say it with --license NAME, "
            "or do not publish it."
        )
    if license and not own:
        raise ValueError(f"--license is for your own audio; {', '.join(corpora)} has the license of its authors.")
    return {
        name: License(license=license, homepage="")
        if license and name in own
        else License(license=known[name]["license"], homepage=known[name]["homepage"] or "")
        for name in corpora
    }


def _read_report(path: Path) -> tuple[list[str], dict]:
    """The corpora of a preparation that have clips, and the licenses that its report names."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        corpora = [name for name, found in report["corpora"].items() if found["kept"]]
        return corpora, dict(report["settings"].get("licenses", {}))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{path.parent} is not a prepared folder: its report.json is not the one that prepare.py writes. "
            "--dataset expects a folder that prepare.py wrote; a checkpoint is published without --dataset."
        ) from error


def export_dataset(
    splits: DatasetDict, licenses: Mapping[str, License], protocol: str, output: Path, repo_id: str
) -> list[Path]:
    """Writes a data set as the Hub has it: Parquet files with the sound in them, and a card.

    Args:
        splits: the clips of a prepared folder.
        licenses: of their corpora, as [`read_licenses`] gives them.
        protocol: by which the clips are divided.
        output: an empty folder.
        repo_id: what it will be called.

    Returns:
        The files.
    """
    from modeling import SAMPLING_RATE  # here, for it takes seconds to import, and a license is refused without

    files = [output / "README.md"]
    files[0].write_text(_card(splits, licenses, protocol, repo_id), encoding="utf-8")
    (output / "data").mkdir()
    for split, clips in splits.items():
        # Rows are numbered in the folder alone. And stored sound is decoded by who reads it.
        clips = clips.remove_columns("row").cast_column("audio", Audio(sampling_rate=SAMPLING_RATE))
        count = ceil(len(clips) / CLIPS_PER_FILE)
        for index in range(count):
            files.append(output / "data" / f"{split}-{index:05}-of-{count:05}.parquet")
            clips.shard(count, index, contiguous=True).to_parquet(files[-1])
    return files


def _license(licenses: Mapping[str, License]) -> str:
    """The Hub's identifier of the license that all corpora have; `other` where they have several, or one without."""
    ids = {hub_id(license["license"]) for license in licenses.values()}
    return (ids.pop() if len(ids) == 1 else None) or "other"


def _card(splits: DatasetDict, licenses: Mapping[str, License], protocol: str, repo_id: str) -> str:
    counts = {split: Counter(clips["corpus"][:]) for split, clips in splits.items()}
    locales = {locale for clips in splits.values() for locale in clips["locale"][:] if locale}
    metadata = DatasetCardData(
        language=languages(locales) or None,
        license=_license(licenses),
        task_categories=["audio-classification"],
        pretty_name=repo_id.partition("/")[2],
    )
    lines = [f"| corpus | {' | '.join(splits)} | license | homepage |", f"|---|{'---:|' * len(splits)}---|---|"]
    for name, license in licenses.items():
        clips = " | ".join(str(counts[split][name]) for split in splits)
        lines.append(f"| {plain(name)} | {clips} | {plain(license['license'])} | {license['homepage'] or '–'} |")
    return f"""---
{metadata.to_yaml()}
---
# {repo_id.partition("/")[2]}

Clips of speech with the emotion that is heard in them, divided by the protocol `{protocol}`. Each corpus is under its
own license, which holds for its clips here as well.

{chr(10).join(lines)}

```python
from datasets import load_dataset

clips = load_dataset("{repo_id}")
```

`audio` is mono, 16 kHz, 16 bits; times `scale` it is as loud as recorded. `raw_label` is the authors' label for
`emotion`. `f0_mean` and `f0_std` are in Hz over voiced frames, `duration_s` and `start_s` in seconds.
"""
