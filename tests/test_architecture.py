import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

# Package or script -> the packages of the project that it may import, beside itself.
MAY_IMPORT = {
    "modeling": set(),
    "common": {"modeling"},
    "preprocessing": {"common", "modeling"},
    "evaluation": {"common", "preprocessing", "modeling"},
    "training": {"common", "evaluation", "preprocessing", "modeling"},
    "inference": {"common", "preprocessing", "modeling"},
    "publishing": {"common", "modeling"},
    "prepare": {"common", "preprocessing"},
    "train": {"common", "training", "publishing"},
    "evaluate": {"common", "evaluation"},
    "predict": {"common", "inference", "modeling"},
    "app": {"common", "inference"},
    "publish": {"common", "publishing", "preprocessing"},
}
SCRIPTS = [ROOT / f"{name}.py" for name in ("prepare", "train", "evaluate", "predict", "app", "publish")]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))  # each a script, run as a module; they may import everything
PACKAGES = [ROOT / name for name in MAY_IMPORT if (ROOT / name).is_dir()]
MODULES = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


def absolute_imports(path: Path) -> set[str]:
    """First part of the name of everything that is imported by an absolute name, at any depth of the file."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def tracked_files() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_every_package_and_script_is_under_these_rules():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {path.name for path in PACKAGES}
    assert {path.stem for path in ROOT.glob("*.py")} == {path.stem for path in SCRIPTS}


def test_imports_between_packages_go_one_way():
    wrong = []
    for path in [*MODULES, *SCRIPTS]:
        owner = path.relative_to(ROOT).parts[0].removesuffix(".py")
        project = absolute_imports(path) & MAY_IMPORT.keys() - {"evaluate"}  # which is Hugging Face's: test_scripts.py
        wrong += [f"{name_of(path)} imports {name}" for name in project - MAY_IMPORT[owner] - {owner}]
    assert not wrong


def test_nothing_but_tests_imports_the_benchmarks():
    assert [name_of(path) for path in [*MODULES, *SCRIPTS] if "benchmarks" in absolute_imports(path)] == []


def test_a_relative_import_stays_in_its_package():
    for path in MODULES:
        depth = len(path.relative_to(ROOT).parts) - 1
        levels = [node.level for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom)]
        assert max(levels, default=0) <= depth, name_of(path)


def test_modeling_imports_its_siblings_as_the_hubs_loader_follows_them():
    siblings = {path.stem for path in (ROOT / "modeling").glob("*.py")} - {"__init__"}
    for path in (ROOT / "modeling").glob("*.py"):
        assert not absolute_imports(path) & {*MAY_IMPORT, "tests"}, name_of(path)
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and node.level:
                written = ast.unparse(node)
                assert node.level == 1, f"{name_of(path)}: {written}"
                assert node.module in siblings, f"{name_of(path)}: {written}"


def test_modeling_is_flat_and_its_files_say_whose_they_are():
    assert [path.name for path in (ROOT / "modeling").iterdir() if path.is_dir() and path.name != "__pycache__"] == []
    names = {path.name for path in (ROOT / "modeling").glob("*.py")} - {"__init__.py"}
    assert names
    assert [name for name in names if not name.endswith("_ser.py")] == []


@pytest.mark.parametrize(("paths", "limit"), [(SCRIPTS, 120), (MODULES, 300), (BENCHMARKS, 300)])
def test_files_are_short(paths, limit):
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert len(lines) > 3
    assert {name: count for name, count in lines.items() if count > limit} == {}


def test_no_file_is_called_utils():
    assert [name_of(path) for path in [*MODULES, *BENCHMARKS] if path.name == "utils.py"] == []


def test_every_module_has_its_test_file():
    missing = []
    for path in MODULES:
        inside = path.relative_to(ROOT)
        if path.stem in ("__init__", "demo_sentences"):
            continue
        mirror = inside.with_name(f"test_{inside.name}")
        if inside.parts[:2] == ("preprocessing", "corpora"):
            mirror = Path("preprocessing", "test_corpora.py")
        if not (ROOT / "tests" / mirror).is_file():
            missing.append(f"tests/{mirror}")
    assert missing == []


def test_no_file_names_a_folder_of_one_machine():
    folder = re.compile(r"(?<![\w.~])/(work|home|tmp|root|Users)/")
    found = []
    for path in tracked_files():
        if name_of(path) == ".ci/run":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), start=1):
            if folder.search(line):
                found.append(f"{name_of(path)}:{number}")
    assert found == []


def test_nothing_is_pickled():
    pickles = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    for path in [*MODULES, *SCRIPTS, *BENCHMARKS]:
        assert not absolute_imports(path) & pickles, name_of(path)
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call):
                continue
            called, arguments = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
            where = f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"
            if called == "torch.load":
                assert arguments.get("weights_only") == "True", where
            assert called not in ("joblib.load", "joblib.dump"), where
            assert not called.endswith((".read_pickle", ".to_pickle")), where
            assert arguments.get("allow_pickle", "False") == "False", where


def test_no_code_of_a_file_is_run():
    """Beside what ruff's security rules find: exec, eval, shells, YAML that makes objects."""
    for path in [*MODULES, *SCRIPTS]:
        assert not absolute_imports(path) & {"zipfile", "tarfile", "runpy", "code"}, name_of(path)
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call):
                continue
            where = f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"
            trusts = [ast.unparse(word.value) for word in node.keywords if word.arg == "trust_remote_code"]
            assert trusts in ([], ["False"]), where
            assert not ast.unparse(node.func).endswith(("load_dataset", "unpack_archive")), where


def read_pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_pins() -> dict[str, Version]:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, separator, version = line.partition("==")
        assert separator, f"constraints.txt: {line} is no pin"
        pins[canonicalize_name(name)] = Version(version)
    return pins


def test_every_dependency_is_pinned_to_a_version_that_it_allows():
    project, pins = read_pyproject()["project"], read_pins()
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    requirements = [Requirement(text) for group in groups for text in group]
    assert len(requirements) > 10
    assert [r.name for r in requirements if canonicalize_name(r.name) not in pins] == []
    assert [str(r) for r in requirements if pins[canonicalize_name(r.name)] not in r.specifier] == []


def test_the_lock_has_a_hash_of_every_pin_but_of_pytorchs():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entry = re.compile(r"([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
    assert entry.sub("", lock) == ""  # nothing else: no address, no path
    pins = read_pins()
    del pins["torch"]
    assert {canonicalize_name(name): Version(version) for name, version, _ in entry.findall(lock)} == pins


def test_pyproject_lists_every_package():
    folders = {name_of(path.parent).replace("/", ".") for path in MODULES if path.name == "__init__.py"}
    assert set(read_pyproject()["tool"]["setuptools"]["packages"]) == folders
