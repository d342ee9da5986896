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


def at_import(body: Iterable[ast.stmt]) -> Iterator[ast.ImportFrom]:
    """Imports that run when a module is imported: none in functions, none for types alone."""
    for node in body:
        if isinstance(node, ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.unparse(node):
            yield from at_import(node.body)


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


def test_tests_are_the_same_tree():
    packages = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert packages <= {module.parts[0] for module in MODULES}
