"""Prepared clips -> a folder that the Hub loads as a data set, of corpora whose license allows redistribution."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import TypedDict

from datasets import Audio, DatasetDict
from huggingface_hub import DatasetCardData

from common.text_tables import format_table

from .escape import escape
from .license import hub_id
from .metadata import languages

CLIPS_PER_FILE = 4096  # some 400 MB


class License(TypedDict):
    """License of a corpus, and the page that states it; for a user's own audio the license that the user states."""

    license: str
    homepage: str


def read_licenses(prepared: Path, license: str | None) -> dict[str, License]:
    """The licenses under which the clips of a prepared folder may be redistributed.

    Args:
        prepared: the folder, whose report has the licenses of its corpora.
        license: license of the user's own audio; by default the one stated to prepare.py.

    Returns:
        Corpus -> its license.

    Raises:
        ValueError: the folder is not a prepared one, a corpus may not be redistributed, or `license` is missing or
            unneeded.
    """
    path = prepared / "report.json"
    if not path.is_file():
        raise ValueError(f"{prepared} is not a prepared folder: report.json is missing. Create one with prepare.py.")
    corpora, known = _read_report(path)
    if missing := [name for name in corpora if name not in known]:
        raise ValueError(f"{path} lacks the license of {', '.join(missing)}: run prepare.py again.")
    own = [name for name in corpora if not (known[name] and known[name]["homepage"])]
    closed = [name for name in corpora if name not in own and not known[name]["redistributable"]]
    if closed:
        reasons = "; ".join(f"{name} ({known[name]['license']}, {known[name]['homepage']})" for name in closed)
        raise ValueError(
            f"These licenses do not clearly allow redistribution: {reasons}. Prepare a folder without these corpora: "
            "prepare.py --license_use redistributable."
        )
    if unstated := [name for name in own if not (license or (known[name] and known[name]["redistributable"]))]:
        raise ValueError(
            f"The license of {', '.join(unstated)} is not stated: state it with --license NAME, or do not publish the "
            "data."
        )
    if license and not own:
        raise ValueError(f"--license is for your own audio, but {', '.join(corpora)} has the license of its authors.")
    return {
        name: License(license=license, homepage="")
        if license and name in own
        else License(license=known[name]["license"], homepage=known[name]["homepage"] or "")
        for name in corpora
    }


def _read_report(path: Path) -> tuple[list[str], dict]:
    """The corpora of a prepared folder that have clips, and the licenses in its report."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        corpora = [name for name, found in report["corpora"].items() if found["kept"]]
        return corpora, dict(report["settings"].get("licenses", {}))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{path.parent} is not a prepared folder: its report.json has another form than prepare.py's. "
            "--dataset expects a folder that prepare.py wrote; a checkpoint is published without --dataset."
        ) from error


def export_dataset(
    splits: DatasetDict, licenses: Mapping[str, License], protocol: str, output: Path, repo_id: str
) -> list[Path]:
    """Writes a data set for the Hub: Parquet files that contain the audio, and a card.

    Args:
        splits: the clips of a prepared folder.
        licenses: licenses of their corpora, as returned by [`read_licenses`].
        protocol: protocol of the splits.
        output: an empty folder.
        repo_id: repository of the data set.

    Returns:
        The files.
    """
    from modeling import SAMPLING_RATE  # its import takes seconds, which a refused license does not need

    files = [output / "README.md"]
    files[0].write_text(_card(splits, licenses, protocol, repo_id), encoding="utf-8")
    (output / "data").mkdir()
    for split, clips in splits.items():
        # Row numbers belong to the prepared folder. Audio stays encoded.
        clips = clips.remove_columns("row").cast_column("audio", Audio(sampling_rate=SAMPLING_RATE))
        count = ceil(len(clips) / CLIPS_PER_FILE)
        for index in range(count):
            files.append(output / "data" / f"{split}-{index:05}-of-{count:05}.parquet")
            clips.shard(count, index, contiguous=True).to_parquet(files[-1])
    return files


def _license(licenses: Mapping[str, License]) -> str:
    """The Hub's identifier of the license of all corpora; `other` if they have several, or one without identifier."""
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
    rows = [
        [
            escape(name),
            *(str(counts[split][name]) for split in splits),
            escape(license["license"]),
            license["homepage"] or None,
        ]
        for name, license in licenses.items()
    ]
    headers = ["corpus", *splits, "license", "homepage"]
    table = format_table(rows, headers, f"l{'r' * len(splits)}ll", style="github")
    return f"""---
{metadata.to_yaml()}
---
# {repo_id.partition("/")[2]}

Clips of speech with labels of their emotion, split by the protocol `{protocol}`. The license of each corpus applies to
its clips.

{table}

```python
from datasets import load_dataset

clips = load_dataset("{repo_id}")
```

`audio` is mono, 16 kHz, 16 bits; multiplied by `scale` it has the level of the recording. `raw_label` is the authors'
label of `emotion`. `f0_mean` and `f0_std` are in Hz over voiced frames, `duration_s` and `start_s` in seconds.
"""
