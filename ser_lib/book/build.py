"""The book: run its chapters, stamp them, build the site.

    jupytext -> papermill -> stamp -> stage -> jupyter-book

A chapter is run again only if its source, this library, the labs, ``results/``, the corpus, the
parameters or the pinned packages have changed; the site is built again only if a page has.
Everything is made beside the last good one and takes its place when it is whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ser_lib.book import pages
from ser_lib.book.repository import Repository, find_repository
from ser_lib.files import atomic_write, tree_hash

PROFILES = ("smoke", "full")
"""How much a chapter computes: as little as shows the point, or all of it."""

_ROOT = Path(__file__).resolve().parents[2]
_NAMED_PACKAGES = ("torch", "numpy", "pandas", "librosa", "scikit-learn", "matplotlib")
_CELL_LIMIT = 1800  # seconds that one cell may take


class BookError(ValueError):
    """A chapter failed or the site has warnings; the message holds the traceback or all of them."""


# ---- what was run, and on what -------------------------------------------------------------------


def _variant(corpus: str, profile: str) -> str:
    return f"{corpus}-{profile}"


def _inputs(root: Path, corpus: str, profile: str) -> dict[str, Any]:
    """All that a chapter's outputs depend on, apart from its own source."""
    from ser_lib import corpora

    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}, known: {', '.join(PROFILES)}")
    return {
        "library": tree_hash(root / "ser_lib"),
        "results": tree_hash(root / "results"),
        "labs": tree_hash(root / "book" / "_static" / "labs"),
        "environment": pages.file_hash(root / "requirements.txt"),
        "corpus": corpus,
        "data": corpora.load(corpus).hash,
        "profile": profile,
        "parameters": {"corpus": corpus, "profile": profile},
    }


def _stamp(path: Path) -> dict[str, Any]:
    """Stamp of an executed notebook; empty if there is none or it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["metadata"]["ser"]
    except (OSError, ValueError, KeyError):
        return {}
    return dict(found)


def _is_fresh(stamp: Mapping[str, Any], source: Path, inputs: Mapping[str, Any]) -> bool:
    wanted = {**inputs, "source": pages.file_hash(source)}
    return bool(stamp) and all(stamp.get(key) == value for key, value in wanted.items())


def status(
    corpus: str = "builtin", profile: str = "smoke", root: Path | None = None
) -> list[dict[str, Any]]:
    """One row per chapter: when it was last run, for how long, on what, and whether that is fresh.

    A chapter that was never run has only ``page`` and ``fresh``.
    """
    root = root or _ROOT
    inputs = _inputs(root, corpus, profile)
    folder = root / "_build" / "executed" / _variant(corpus, profile)
    rows = []
    for source in pages.sources(root):
        stamp = _stamp(folder / f"{source.stem}.ipynb")
        rows.append({"page": source.stem, **stamp, "fresh": _is_fresh(stamp, source, inputs)})
    return rows


def sync(root: Path | None = None) -> tuple[Path, ...]:
    """Put the set-up cell into every chapter and write the twins; return the files changed."""
    return pages.synchronise(root or _ROOT)


# ---- running and building ------------------------------------------------------------------------


@contextmanager
def _workspace(root: Path) -> Iterator[Path]:
    """Folder of one build's unfinished work: builds at the same time do not meet."""
    (root / "_build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=root / "_build") as folder:
        yield Path(folder)


def _environment(root: Path, jobs: int) -> dict[str, str]:
    """Environment of a kernel: this Python and library, inline figures, its share of the cores."""
    env = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), env.get("PYTHONPATH"))))
    env.pop("MPLBACKEND", None)
    # pooch, under librosa, imports a progress bar that misses widgets; no page could show them.
    env["PYTHONWARNINGS"] = "ignore:IProgress not found"
    env.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    for folder in ("SER_DATA", "SER_CACHE"):  # a kernel runs in another folder
        if given := env.get(folder):
            env[folder] = str(Path(given).resolve())
    return env


def _execute(source: Path, target: Path, inputs: Mapping[str, Any], work: Path, jobs: int) -> float:
    """Run one chapter by papermill, stamp it, put it in its place; return the seconds it took.

    Raises:
        BookError: a cell failed; the message holds the chapter's name and the traceback.
    """
    before, after = work / f"{source.stem}.ipynb", work / f"{source.stem}.executed.ipynb"
    digest = pages.file_hash(source)
    before.write_text(pages.twin(source.read_text(encoding="utf-8")), encoding="utf-8")
    command = [sys.executable, "-m", "papermill", str(before), str(after), "--kernel", "python3"]
    command += ["--cwd", str(source.parent), "--no-progress-bar", "--log-level", "ERROR"]
    command += ["--execution-timeout", str(_CELL_LIMIT)]
    for name, value in inputs["parameters"].items():
        command += ["--parameters_raw", name, value]
    started, clock = datetime.now(UTC), time.monotonic()
    done = subprocess.run(
        command,
        env=_environment(source.parents[1], jobs),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - clock
    notebook = pages.read(after) if after.is_file() else None
    if done.returncode != 0 or notebook is None:
        text = (pages.error_text(notebook) if notebook else "") or done.stderr[-4000:]
        raise BookError(f"chapter {source.stem!r} ({source}) failed:\n{text}")
    notebook.metadata["ser"] = {
        **inputs,
        "source": digest,
        "started": started.strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(seconds, 1),
        "packages": {
            "Python": ".".join(map(str, sys.version_info[:3])),
            **{name: version(name) for name in _NAMED_PACKAGES},
        },
    }
    with atomic_write(target) as file:
        file.write(pages.text(notebook).encode())
    return seconds


def _execute_all(
    root: Path, folder: Path, inputs: Mapping[str, Any], jobs: int, report: Callable[[str], None]
) -> None:
    """Run every chapter whose stamp is not fresh, ``jobs`` at a time.

    Raises:
        BookError: at least one chapter failed; all that failed are named.
    """
    stale = []
    for source in pages.sources(root):
        if _is_fresh(_stamp(folder / f"{source.stem}.ipynb"), source, inputs):
            report(f"  {source.stem}: unchanged, not run again")
        else:
            stale.append(source)
    failures = []
    with _workspace(root) as work, ThreadPoolExecutor(max_workers=jobs) as pool:
        runs = [
            (s, pool.submit(_execute, s, folder / f"{s.stem}.ipynb", inputs, work, jobs))
            for s in stale
        ]
        for source, run in runs:
            try:
                report(f"  {source.stem}: run in {run.result():.1f} s")
            except BookError as error:
                report(f"  {source.stem}: FAILED")
                failures.append(str(error))
    if failures:
        raise BookError("\n\n".join(failures))


def _stage(root: Path, folder: Path, stage: Path, repository: Repository | None) -> None:
    """Lay out what jupyter-book reads: a mirror of the repository with executed notebooks."""
    import yaml

    from ser_lib import claims

    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    if repository:
        config["repository"] = {"url": repository.url, "branch": repository.branch}
        config.setdefault("html", {})["use_repository_button"] = True
        if repository.on_colab:
            config["launch_buttons"] = {"colab_url": "https://colab.research.google.com"}
    shutil.copytree(root / "book", stage / "book")
    # Chapters show pieces of the library from their source.
    shutil.copytree(
        root / "ser_lib", stage / "ser_lib", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(root / "_toc.yml", stage)
    (stage / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    for sub in ("notebooks", "twins"):
        (stage / sub).mkdir()
    rows = []
    for source in pages.sources(root):
        name = f"{source.stem}.ipynb"
        notebook = pages.read(folder / name)
        stamp = notebook.metadata["ser"]
        page = pages.dress(notebook, source.stem, stamp, repository)
        (stage / "notebooks" / name).write_text(pages.text(page), encoding="utf-8")
        text = pages.twin(pages.addressed(source.read_text(encoding="utf-8"), repository))
        (stage / "twins" / name).write_text(text, encoding="utf-8")
        rows.append({"page": source.stem, "fresh": True, **stamp})
    (stage / "book" / "status.md").write_text(pages.status_page(rows), encoding="utf-8")
    for plan in sorted((root / "results").glob("*/plan.toml")):
        study = plan.parent.name
        for path in claims.downloads(study, root):
            target = stage / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        if (plan.parent / "claims.yml").is_file():
            suffix = "" if study == "paper1" else f"-{study}"
            made = {"summary": claims.summary_page, "verdicts": claims.ledger_page}
            for name, write in made.items():
                page = stage / "book" / f"{name}{suffix}.md"
                page.write_text(write(study, root), encoding="utf-8")


def _front_page(path: Path) -> None:
    """Give the page that only sends on to the first chapter what jupyter-book leaves out of it."""
    (target,) = re.findall(r'url=([^"]+)"', path.read_text(encoding="utf-8"))
    path.write_text(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Emotion by Distance</title>\n"
        f'<meta http-equiv="refresh" content="0; url={target}">\n</head>\n'
        f'<body><p><a href="{target}">Emotion by Distance</a></p></body>\n</html>\n',
        encoding="utf-8",
    )


def _replace(new: Path, old: Path) -> None:
    """Put folder ``new`` in the place of ``old``; what lies there stays whole until then."""
    aside = new.with_name("replaced")
    if old.exists():
        old.rename(aside)
    old.parent.mkdir(parents=True, exist_ok=True)
    new.rename(old)


def build(
    corpus: str = "builtin",
    profile: str = "smoke",
    root: Path | None = None,
    *,
    site: Path | None = None,
    jobs: int = 2,
    report: Callable[[str], None] = print,
) -> Path:
    """Run what has changed, build the site from it, and return the page to open.

    Args:
        corpus: corpus that the chapters use, one of ``corpora.NAMES``.
        profile: ``smoke`` or ``full``.
        root: the repository; by default the clone that this library lies in.
        site: folder of the site; by default ``_build/html`` for the built-in corpus in the smoke
            profile and ``_build/html-<corpus>-<profile>`` for any other.
        jobs: chapters run at the same time.
        report: called with each line of progress.

    Raises:
        BookError: a chapter failed or the site was built with warnings; the last site stays.
    """
    root = (root or _ROOT).resolve()
    clock = time.monotonic()
    inputs = _inputs(root, corpus, profile)
    variant = _variant(corpus, profile)
    folder = root / "_build" / "executed" / variant
    site = site or root / "_build" / ("html" if variant == "builtin-smoke" else f"html-{variant}")
    repository = find_repository(root)

    report(f"chapters on corpus {corpus!r}, profile {profile!r}:")
    _execute_all(root, folder, inputs, jobs, report)
    executed = time.monotonic()

    with _workspace(root) as work:
        _stage(root, folder, work / "stage", repository)
        mark = f"{tree_hash(work / 'stage')} {inputs['environment']}\n"
        marker = site / "stage.txt"
        if marker.is_file() and marker.read_text() == mark:
            report("site: unchanged, not built again")
        else:
            # Always from nothing: a page that Sphinx does not read again hides its warnings.
            command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
            command += ["build", str(work / "stage")]
            command += ["--path-output", str(work), "-W", "-n", "--keep-going"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                text = pages.plain(done.stdout + done.stderr).replace(
                    f"{work / 'stage'}{os.sep}", ""
                )
                wrong = [line for line in text.splitlines() if "WARNING" in line or "ERROR" in line]
                raise BookError("the site was not built:\n" + ("\n".join(wrong) or text[-4000:]))
            made = work / "_build" / "html"
            _front_page(made / "index.html")
            (made / "stage.txt").write_text(mark)
            _replace(made, site)
            report("site: built")
    built = time.monotonic()
    if repository and repository.on_colab:
        report(f"launch links: Colab, {repository.url}, branch {repository.branch}")
    else:
        report(
            "launch links: none, because no GitHub address is known (set SER_REPOSITORY_URL or the "
            "git remote 'origin'); each page offers its notebook for download instead"
        )
    report(f"seconds: chapters {executed - clock:.1f}, site {built - executed:.1f}")
    report(f"open {site / 'index.html'}")
    return site / "index.html"
