"""Checkpoints + test split -> metrics.json and tables.

    python evaluate.py runs/demo --data prepared/demo --protocol paper --output runs/demo/evaluation

This script shares its name with Hugging Face's `evaluate`, and the project's root comes first on the import path of
every script in it. So, imported as `evaluate`, this file steps aside and hands over the library.
"""

from __future__ import annotations


def _hand_over_the_library() -> None:
    import importlib.machinery
    import importlib.util
    import os
    import sys

    here = os.path.dirname(os.path.realpath(__file__))
    elsewhere = [entry for entry in sys.path if os.path.realpath(entry or os.getcwd()) != here]
    spec = importlib.machinery.PathFinder.find_spec("evaluate", elsewhere)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("No module named 'evaluate': pip install evaluate", name="evaluate")
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluate"] = module  # what `import evaluate` binds
    spec.loader.exec_module(module)


if __name__ == "evaluate":
    _hand_over_the_library()
