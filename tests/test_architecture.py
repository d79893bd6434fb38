import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT
from tests.support.source_files import (
    BENCHMARKS,
    MODULES,
    PACKAGE_NAMES,
    PACKAGES,
    SCRIPTS,
    name_of,
    parse,
    read_pins,
    tracked_files,
)


def imported_names(path: Path) -> set[str]:
    """Full names of what is imported, at any depth of the file; relative ones begin with dots."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names}
    return names


def absolute_imports(path: Path) -> set[str]:
    """First part of the name of everything that is imported by an absolute name."""
    return {name.partition(".")[0] for name in imported_names(path) if not name.startswith(".")}


def test_every_package_and_script_is_under_these_rules():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {path.name for path in PACKAGES}
    assert {path.stem for path in ROOT.glob("*.py")} == {path.stem for path in SCRIPTS}


def test_modeling_imports_its_siblings_as_the_hubs_loader_follows_them():
    siblings = {path.stem for path in (ROOT / "modeling").glob("*.py")} - {"__init__"}
    for path in (ROOT / "modeling").glob("*.py"):
        assert not absolute_imports(path) & {*PACKAGE_NAMES, "tests"}, name_of(path)
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and node.level:
                written = ast.unparse(node)
                assert node.level == 1, f"{name_of(path)}: {written}"
                assert node.module in siblings, f"{name_of(path)}: {written}"


def test_modeling_is_flat_and_its_files_carry_the_suffix():
    assert [path.name for path in (ROOT / "modeling").iterdir() if path.is_dir() and path.name != "__pycache__"] == []
    names = {path.name for path in (ROOT / "modeling").glob("*.py")} - {"__init__.py"}
    assert names
    assert [name for name in names if not name.endswith("_ser.py")] == []


def test_every_module_has_its_test_file():
    """Corpora have one test that reads all of them; a `__main__` is tested as `test_command.py`."""
    missing = []
    for path in MODULES:
        inside = path.relative_to(ROOT)
        if path.stem == "__init__" or ("CORPUS" in path.read_text(encoding="utf-8") and inside.parts[1] == "corpora"):
            continue
        name = "command" if path.stem == "__main__" else path.stem
        if not (ROOT / "tests" / inside.with_name(f"test_{name}.py")).is_file():
            missing.append(str(inside))
    assert missing == []


@pytest.mark.slow
def test_no_module_of_tests_imports_a_test_module():
    """What tests share stands in `tests/support` or a `conftest.py`, so that no change of a test breaks another."""
    modules = sorted((ROOT / "tests").rglob("*.py"))
    test_modules = {path.stem for path in modules if path.stem.startswith("test_")}
    found = []
    for path in modules:
        found += [f"{name_of(path)}: {name}" for name in imported_names(path) if test_modules & {*name.split(".")}]
    assert found == []


@pytest.mark.slow
def test_no_file_names_a_folder_of_one_machine():
    folder = re.compile(r"/(?<![\w.~]/)(work|home|tmp|root|Users)/")
    found = []
    for path in tracked_files():
        if name_of(path) == ".ci/run":
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{name_of(path)}:{text.count(chr(10), 0, match.start()) + 1}" for match in folder.finditer(text)]
    assert found == []


@pytest.mark.slow
def test_nothing_is_pickled():
    pickles = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    decisive = {"weights_only", "allow_pickle"}
    for path in [*MODULES, *SCRIPTS, *BENCHMARKS]:
        assert not absolute_imports(path) & pickles, name_of(path)
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            arguments = {k.arg: ast.unparse(k.value) for k in node.keywords if k.arg in decisive}
            where = f"{name_of(path)}:{node.lineno}: {called}"
            if called == "torch.load":
                assert arguments.get("weights_only") == "True", where
            assert called not in ("joblib.load", "joblib.dump"), where
            assert not called.endswith((".read_pickle", ".to_pickle")), where
            assert arguments.get("allow_pickle", "False") == "False", where


@pytest.mark.slow
def test_no_code_of_a_file_is_run():
    """Beside what ruff's security rules find: exec, eval, shells, YAML that makes objects."""
    for path in [*MODULES, *SCRIPTS]:
        assert not absolute_imports(path) & {"zipfile", "tarfile", "runpy", "code"}, name_of(path)
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call):
                continue
            where = f"{name_of(path)}:{node.lineno}"
            trusts = [ast.unparse(word.value) for word in node.keywords if word.arg == "trust_remote_code"]
            assert trusts in ([], ["False"]), where
            assert not ast.unparse(node.func).endswith(("load_dataset", "unpack_archive")), where


def read_pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_dependency_is_pinned_to_a_version_that_it_allows():
    project, pins = read_pyproject()["project"], read_pins()
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    requirements = [Requirement(text) for group in groups for text in group]
    assert len(requirements) > 10
    assert [r.name for r in requirements if canonicalize_name(r.name) not in pins] == []
    assert [str(r) for r in requirements if pins[canonicalize_name(r.name)] not in r.specifier] == []


def test_the_lock_has_a_hash_of_every_pin_but_of_pytorchs_and_of_what_needs_consent_to_its_license():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entry = re.compile(r"([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
    assert entry.sub("", lock) == ""  # nothing else: no address, no path
    pins = read_pins()
    del pins["torch"], pins["opensmile"]
    assert {canonicalize_name(name): Version(version) for name, version, _ in entry.findall(lock)} == pins


def test_pyproject_lists_every_package():
    folders = {name_of(path.parent).replace("/", ".") for path in MODULES if path.name == "__init__.py"}
    assert set(read_pyproject()["tool"]["setuptools"]["packages"]) == folders
