"""The license of weights: the most restrictive of the licenses of their training data and of their start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeling import ARCHITECTURES
from modeling.configuration_ser import MultiTaskSERConfigMixin

NOT_STATED = "not stated"
# From the most permissive to the most restrictive: name of the weights' license, and reason.
_LEVELS = (
    ("apache-2.0", "The licenses of {} allow commercial use and redistribution: the weights are Apache-2.0."),
    (
        "share-alike-data",
        "The licenses of {} require the same license for what is derived from them: the weights are share-alike.",
    ),
    ("non-commercial-data", "The licenses of {} do not allow commercial use: the weights are not for commercial use."),
    (
        "research-only-data",
        "The licenses of {} are for research only, or state no other use: the weights are for research only.",
    ),
    (
        "unstated-data-license",
        "The licenses of {} are not stated: only the owner of the rights may use the weights.",
    ),
)
# What the licenses of the weights that training may start from allow.
_OPEN = {"commercial": True, "redistributable": True}
_ALLOWED = {
    **{"Apache-2.0": _OPEN, "MIT": _OPEN, "CC BY 4.0": _OPEN, "CC BY-SA 3.0": _OPEN},
    "CC BY-NC 4.0": {"commercial": False, "redistributable": True},
}


# The Hub's identifiers of licenses of data.
_HUB_IDS = {
    *("apache-2.0", "mit", "cc0-1.0", "odbl", "odc-by", "pddl", "gpl-3.0", "cdla-permissive-2.0"),
    *(f"cc-by{more}-{version}" for more in ("", "-sa", "-nc", "-nd", "-nc-sa", "-nc-nd") for version in ("3.0", "4.0")),
}
_HUB_NAMES = {"cc0": "cc0-1.0", "odbl-1.0,-contents-dbcl-1.0": "odbl", "odbl-1.0": "odbl", "odc-by-1.0": "odc-by"}


def hub_id(license: str) -> str | None:
    """The Hub's identifier of a license, such as `cc-by-nc-sa-4.0` of "CC BY-NC-SA 4.0"; or `None`."""
    name = "-".join(license.lower().split())
    name = _HUB_NAMES.get(name, name)
    return name if name in _HUB_IDS else None


@dataclass(frozen=True)
class License:
    """The license of a checkpoint's weights.

    Args:
        name: `apache-2.0`, or a name of this project for what the most restrictive data allow.
        reasons: a sentence per kind of restriction with the corpora that cause it, the most restrictive first; or one
            sentence that there are no restrictions.
    """

    name: str
    reasons: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.name == _LEVELS[0][0]


def backbone(name: str) -> dict[str, Any]:
    """Published weights that a training started from, in the form of a corpus in `training.json`.

    Of unlisted weights the license is "not stated", whatever the Hub states: for a fine-tuned model, its training data
    count.

    Args:
        name: Hub id, or the name of a file of CNN14.
    """
    configs = [model.config_class for model in ARCHITECTURES.values()]
    config = next((config for config in configs if name in config.weight_licenses), MultiTaskSERConfigMixin)
    license = config.weight_licenses.get(name, NOT_STATED)
    allowed = _ALLOWED.get(license, {"commercial": None, "redistributable": None})
    homepage = config.weights_homepage.format(name)
    return {
        **{"corpus": name, "title": name, "homepage": homepage, "clips": None, "hours": None},
        **{"license": license, **allowed},
    }


def most_restrictive(data: Sequence[Mapping[str, Any]]) -> License:
    """The license of weights that came from all of these data.

    Weights are Apache-2.0, as the code is, only if every license allows commercial use, redistribution, and another
    license for what is derived. Otherwise they have no standard license: the restrictions of the data are listed, and
    the most restrictive one names it.

    Args:
        data: corpora, and the start of the training, with `corpus`, `license`, `commercial` and `redistributable`, as
            in `training.json` and [`backbone`]. A license that is "not stated" counts as the most restrictive.
    """
    levels = [_level(entry) for entry in data]
    reasons = []
    for level in sorted({*levels} - {0}, reverse=True) or [0]:
        names = dict.fromkeys(entry["corpus"] for entry, its in zip(data, levels, strict=True) if its == level)
        reasons.append(_LEVELS[level][1].format(", ".join(names)))
    return License(_LEVELS[max(levels)][0], tuple(reasons))


def _level(entry: Mapping[str, Any]) -> int:
    if entry["license"] == NOT_STATED:
        return 4
    if not entry["redistributable"]:  # NC or not: data that may not be redistributed count as research-only
        return 3
    if not entry["commercial"]:
        return 2
    return 1 if entry["license"].startswith("CC BY-SA") else 0
