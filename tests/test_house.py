"""The house is as `book/developers.md` draws it, and data flows through it one way."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "ser_lib"
PAGE = (ROOT / "book" / "developers.md").read_text(encoding="utf-8")
MODULES = sorted(
    path.relative_to(LIBRARY)
    for path in LIBRARY.rglob("*.py")
    if path != LIBRARY / "__init__.py"  # the version, which everything may have
)


def drawn() -> list[str]:
    """What the page lists, in its order: ``files.py``, ``claims/``, ``claims/rules.py``."""
    (block,) = (b for b in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if "files.py" in b)
    found, package = [], ""
    for line in block.splitlines():
        name = line.split()[0]
        package = name if name.endswith("/") else package if line.startswith(" ") else ""
        found.append(name if name == package else package + name)
    return found


PLACES = {name: place for place, name in enumerate(drawn())}


def place(module: Path) -> int:
    """How far down a module stands; a package itself, which gathers its modules, at its end."""
    if str(module) in PLACES:
        return PLACES[str(module)]
    package = f"{module.parts[0]}/"
    return max(at for name, at in PLACES.items() if name.startswith(package))


def at_import(body: Iterable[ast.AST]) -> Iterator[ast.ImportFrom]:
    """Imports that run when a module is imported: none in functions, none for types alone."""
    for node in body:
        if isinstance(node, ast.Import):
            ours = [alias.name for alias in node.names if alias.name.split(".")[0] == "ser_lib"]
            assert not ours, f"import {ours[0]}: say `from`, so that this test sees what it takes"
        elif isinstance(node, ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from at_import(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.ExceptHandler | ast.With | ast.For):
            yield from at_import(ast.iter_child_nodes(node))


def imported(module: Path) -> Iterator[Path]:
    tree = ast.parse((LIBRARY / module).read_text(encoding="utf-8"))
    for node in at_import(tree.body):
        package, *parts = (node.module or "").split(".")
        if package != "ser_lib" or [alias.name for alias in node.names] == ["__version__"]:
            continue
        inside = "/".join(parts)
        for alias in node.names:
            names = (f"{inside}/{alias.name}.py", f"{inside}/{alias.name}/__init__.py",
                     f"{inside}.py", f"{inside}/__init__.py")  # fmt: skip
            paths = (Path(name.lstrip("/")) for name in names)
            found = next((path for path in paths if path in MODULES), None)
            assert found, f"{module} imports {alias.name} from {node.module}, which is not there"
            yield found


def test_every_module_is_drawn_and_nothing_else():
    listed = {name for name in PLACES if "/" in name and not name.endswith("/")}
    in_parts = {name.split("/")[0] for name in listed}
    expected = {
        str(module)
        for module in MODULES
        if module.name != "__init__.py" and (len(module.parts) == 1 or module.parts[0] in in_parts)
    }
    packages = {f"{module.parts[0]}/" for module in MODULES if len(module.parts) > 1}
    assert set(PLACES) == expected | packages
    assert len(drawn()) == len(PLACES)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_only_from_above(module):
    for other in imported(module):
        same = len(module.parts) > 1 and other.parts[0] == module.parts[0]
        below = place(other) > place(module) or (place(other) == place(module) and not same)
        assert not below, f"{module} imports from {other}, which stands below it"


OF_THE_WHOLE = {"test_house.py", "test_requirements.py", "book/test_site.py"}


def test_tests_are_the_same_tree():
    """``tests/claims/test_rules.py`` tests ``ser_lib/claims/rules.py``."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT / "tests")
        module = place.with_name(place.name.removeprefix("test_"))
        assert str(place) in OF_THE_WHOLE or module in MODULES, f"tests/{place} tests no module"
