"""The three lists of packages agree: pyproject.toml, requirements.txt, and what Colab has."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN = [Requirement(text) for text in PROJECT["dependencies"]]
DIRECT = RUN + [
    Requirement(t) for group in PROJECT["optional-dependencies"].values() for t in group
]

NOT_ON_COLAB = {"espeakng-loader"}
"""What the set-up cell has to install there; a wheel of data that needs nothing else."""


def pins(path: Path) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for line in path.read_text().splitlines():
        if text := line.split("#")[0].strip():
            name, version = text.split("==")
            assert canonicalize_name(name) not in found, f"{path}: {name} stands twice"
            found[canonicalize_name(name)] = Version(version)
    return found


COLAB = pins(ROOT / "tests" / "colab-freeze.txt")


def test_requirements_are_the_direct_dependencies():
    names = [canonicalize_name(requirement.name) for requirement in DIRECT]
    assert len(names) == len(set(names))
    assert set(pins(ROOT / "requirements.txt")) == set(names)


def imported(folder: str) -> set[str]:
    """Top-level names of the modules that the Python files of a folder import."""
    names: list[str] = []
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.append(node.module)
    ours = {"ser_lib", "tests"}
    return {name.split(".")[0] for name in names} - ours - set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", ["ser_lib", "notebooks", "tests"])
def test_what_is_imported_is_required(folder):
    packages = packages_distributions()
    needed = {canonicalize_name(packages[name][0]) for name in imported(folder)}
    assert needed
    assert needed <= {canonicalize_name(requirement.name) for requirement in DIRECT}


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_a_pin_satisfies_its_bound(requirement):
    pin = pins(ROOT / "requirements.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin), f"{requirement} is pinned to {pin}"


@pytest.mark.parametrize("requirement", RUN, ids=str)
def test_colab_satisfies_the_bound(requirement):
    name = canonicalize_name(requirement.name)
    assert (name in COLAB) == (name not in NOT_ON_COLAB)
    if name in COLAB:
        assert requirement.specifier.contains(COLAB[name]), f"Colab has {name} {COLAB[name]}"


@pytest.mark.parametrize("requirement", RUN, ids=str)
def test_the_library_sets_lower_bounds_only(requirement):
    assert [part.operator for part in requirement.specifier] == [">="]


def test_colabs_python_is_supported():
    assert SpecifierSet(PROJECT["requires-python"]).contains(COLAB["python"])
