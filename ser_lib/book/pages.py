"""Notebooks as pages of the book: sources, twins, and what is written around an executed one."""

from __future__ import annotations

import copy
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_lib.book.repository import Repository
from ser_lib.files import atomic_write

SETUP_CELL = "_setup.py"
"""File in ``notebooks/`` that holds the set-up cell, the same in every notebook."""

_CELL = re.compile(r"^# %%", re.MULTILINE)
_SETUP_TAGS = '# %% tags=["setup", "hide-cell"]\n'
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def sources(root: Path) -> tuple[Path, ...]:
    """Sources of the executable chapters, in the book's order.

    They are ``notebooks/*.py`` without a leading underscore; the order is that of ``_toc.yml``.
    """
    toc = root / "_toc.yml"
    listed = toc.read_text(encoding="utf-8") if toc.is_file() else ""
    found = (path for path in (root / "notebooks").glob("*.py") if path.name[0] != "_")
    return tuple(sorted(found, key=lambda path: (listed.find(f"notebooks/{path.stem}"), path)))


def file_hash(path: Path) -> str:
    """First 16 hex digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def with_setup(source: str, setup: str) -> str:
    """Put the set-up cell into a py:percent source: in place of its own, else first of the code.

    Raises:
        ValueError: the source has more than one cell tagged ``setup``, or no code cell.
    """
    starts = [found.start() for found in _CELL.finditer(source)]
    head, cells = (
        source[: starts[0]] if starts else source,
        [source[a:b] for a, b in zip(starts, [*starts[1:], len(source)], strict=True)],
    )
    cell = _SETUP_TAGS + setup.strip() + "\n\n"
    present = [i for i, text in enumerate(cells) if '"setup"' in text.split("\n", 1)[0]]
    code = [i for i, text in enumerate(cells) if not re.match(r"# %%.*\[markdown\]", text)]
    if len(present) > 1 or not code:
        raise ValueError(f"{len(present)} cells tagged 'setup' and {len(code)} code cells")
    if present:
        cells[present[0]] = cell
    else:
        cells.insert(code[0], cell)
    return head + "".join(cells).rstrip("\n") + "\n"


def read(path: Path) -> Any:
    """Read a notebook."""
    import nbformat

    return nbformat.read(path, as_version=4)


def text(notebook: Any) -> str:
    """Write a notebook as the text of its file."""
    import nbformat

    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def twin(source: str) -> str:
    """Return the output-free notebook of a py:percent source, the same bytes for the same source.

    A cell's identifier is the hash of its text, so that an edit changes no other cell's.
    """
    import jupytext

    notebook = jupytext.reads(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:12]
        cell["id"] = f"{digest}-{seen[digest]}" if seen[digest] else digest
        seen[digest] += 1
    return text(notebook)


def addressed(source: str, repository: Repository | None) -> str:
    """Tell a chapter's set-up cell where the book lies, if that is known."""
    if repository is None:
        return source
    return source.replace('BOOK = ("", "")', f"BOOK = {(repository.url, repository.branch)!r}", 1)


def synchronise(root: Path) -> tuple[Path, ...]:
    """Give every source the same set-up cell and write its ``.ipynb`` twin; return what changed.

    Raises:
        ValueError: a source cannot hold the set-up cell; the message names it.
    """
    setup = (root / "notebooks" / SETUP_CELL).read_text(encoding="utf-8")
    changed = []
    for path in sources(root):
        old = path.read_text(encoding="utf-8")
        try:
            new = with_setup(old, setup)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        for target, content in ((path, new), (path.with_suffix(".ipynb"), twin(new))):
            if not target.is_file() or target.read_text(encoding="utf-8") != content:
                with atomic_write(target) as file:
                    file.write(content.encode())
                changed.append(target)
    return tuple(changed)


def banner(corpus: str, *, of_a_study: bool = False) -> str:
    """Say on top of a page what speech it was run on, where that is not real speech.

    A page ``of_a_study`` shows its numbers besides its own.
    """
    if corpus != "builtin":
        return ""
    study = "The tables and figures of the study are from real speech and say which. "
    return (
        ":::{admonition} The speech on this page is synthetic\n:class: warning ser-banner\n"
        "The page was run on the built-in corpus, which a speech synthesiser (eSpeak NG) made: no "
        "person speaks in it, and no number computed from it is a result about emotion. "
        f"{study if of_a_study else ''}"
        "`make book CORPUS=emodb` (with `SER_DATA` set) runs the same page on real speech.\n:::"
    )


def reads_records(code: str) -> bool:
    """Say whether a chapter's code asks the records of a study."""
    return "records.load(" in code or "claims.evidence(" in code


def footer(name: str, stamp: Mapping[str, Any], repository: Repository | None) -> str:
    """Say at the end of a page how it was run, and how to run it oneself."""
    packages = ", ".join(f"{key} {value}" for key, value in stamp["packages"].items())
    rows = {
        "when": f"{stamp['started']}, for {stamp['seconds']:.0f} s",
        "profile": stamp["profile"],
        "corpus": f"{stamp['corpus']}, hash {stamp['data']}",
        "parameters": ", ".join(f"{k} = {v}" for k, v in stamp["parameters"].items()),
        "hash of its source": stamp["source"],
        "hash of `ser_lib`": stamp["library"],
        "hash of `results/`": stamp["results"],
        "packages": packages,
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    own = f"{{download}}`its notebook </twins/{name}.ipynb>`"
    if repository and repository.on_colab:
        link = repository.colab(f"notebooks/{name}.ipynb")
        how = f"To run the page yourself, [open it in Colab]({link}) or download {own}."
    elif repository:
        how = (
            f"To run the page yourself, download {own} and open it in Jupyter, or in Colab by "
            f"*File*, *Upload notebook*: its first cell gets the library from {repository.url}."
        )
    else:
        how = (
            f"To run the page yourself, download {own} and open it in Jupyter inside a clone of "
            "the book (see its README), or in Colab by *File*, *Upload notebook*; there, first "
            "run `import os; os.environ['SER_REPOSITORY_URL'] = 'ADDRESS'` in a new cell, with the "
            "address from which you cloned the book."
        )
    return (
        f"## Run this page\n\n{how}\n\n"
        "::::{dropdown} How this page was run\n:class-container: ser-stamp\n"
        f"| what | value |\n|---|---|\n{table}\n::::"
    )


def dress(notebook: Any, name: str, stamp: Mapping[str, Any], repository: Repository | None) -> Any:
    """Return a copy of an executed notebook with banner, footer, and the parameters it ran with.

    Raises:
        ValueError: the notebook does not begin with a title, or has no cell tagged ``parameters``.
    """
    page = copy.deepcopy(notebook)
    tagged = {tag: c for c in page.cells for tag in c.metadata.get("tags", ())}
    for needed in ("parameters", "injected-parameters"):
        if needed not in tagged:
            raise ValueError(f"chapter {name!r}: no cell is tagged {needed!r}")
    # Shown is what the page ran with, in the place and the manner of the defaults.
    plain, injected = tagged["parameters"], tagged["injected-parameters"]
    injected.metadata["tags"] = [*plain.metadata["tags"], "injected-parameters"]
    plain.metadata["tags"] = ["remove-cell"]

    title = re.search(r"^# .+$", page.cells[0].source, re.MULTILINE)
    if page.cells[0].cell_type != "markdown" or title is None:
        raise ValueError(f"chapter {name!r}: the first cell has no title ('# ...')")
    opening = page.cells[0].source
    code = "\n".join(cell.source for cell in page.cells if cell.cell_type == "code")
    above = ""  # where no speech is loaded there is nothing to say of it
    if "corpora.load(" in code:
        above = banner(stamp["corpus"], of_a_study=reads_records(code))
    parts = (opening[: title.end()], above, opening[title.end() :].strip("\n"))
    page.cells[0].source = "\n\n".join(part for part in parts if part)
    last = copy.deepcopy(page.cells[0])
    last.update(id="how-it-was-run", metadata={}, source=footer(name, stamp, repository))
    page.cells.append(last)
    for cell in page.cells:
        for leftover in ("papermill", "execution"):
            cell.metadata.pop(leftover, None)
    page.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return page


def status_page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Page that lists when, how long and on what each chapter was last run."""
    head = "| page | up to date | last run | seconds | run on | source |"
    lines = [
        f"| [](/notebooks/{row['page']}.ipynb) | {'yes' if row['fresh'] else 'no'} | "
        f"{row['started']} | {row['seconds']:.1f} | {row['corpus']}, {row['profile']} | "
        f"`{row['source'][:8]}` |"
        for row in rows
    ]
    libraries = ", ".join(sorted({f"`{row['library'][:8]}`" for row in rows}))
    return "\n".join(
        [
            "# Status of the pages\n",
            "When each executable page was last run, for how long, and on what. A page is up to "
            "date if its source, `ser_lib`, the labs, the records in `results/`, the corpus, the "
            "parameters and the pinned packages are still those it was run with; the build runs "
            "any other page again. The profile `smoke` is the quick one, `full` the longer one. "
            f"Hash of the `ser_lib` they were run with: {libraries}.\n",
            head,
            "|" + "---|" * head.count(" | ") + "---|",
            *lines,
            "",
        ]
    )


def error_text(notebook: Any) -> str:
    """Traceback of the first cell that failed, without colours; empty if none did."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                return plain("\n".join(output.traceback))
    return ""


def plain(coloured: str) -> str:
    """Text without a terminal's colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", coloured)
