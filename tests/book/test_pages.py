"""What is written around a notebook, and the set-up cell that all of them share."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ser_lib.book import pages
from ser_lib.book.repository import Repository

ROOT = Path(__file__).parents[2]


def test_an_edit_changes_no_other_cells_identifier():
    before = json.loads(pages.twin("# %%\na = 1\n\n# %%\nb = 1\n\n# %%\na = 1\n"))["cells"]
    after = json.loads(pages.twin("# %%\na = 1\n\n# %%\nb = 2\n\n# %%\na = 1\n"))["cells"]
    assert len({cell["id"] for cell in before}) == 3
    assert [x["id"] == y["id"] for x, y in zip(before, after, strict=True)] == [True, False, True]


def test_without_an_address_a_page_offers_its_notebook_and_no_made_up_link():
    stamp = {
        "packages": {"Python": "3"},
        "started": "now",
        "seconds": 1.0,
        "parameters": {},
        **dict.fromkeys(("profile", "corpus", "data", "source", "library", "results"), "x"),
    }
    text = pages.footer("one", stamp, None)
    assert "</twins/one.ipynb>" in text
    assert "os.environ['SER_REPOSITORY_URL'] = 'ADDRESS'" in text
    assert "http" not in text
    text = pages.footer("one", stamp, Repository("https://gitlab.com/a/b", "main"))
    assert "</twins/one.ipynb>" in text
    assert "its first cell gets the library from https://gitlab.com/a/b." in text
    assert "ADDRESS" not in text


def test_a_notebook_that_is_offered_knows_the_books_address(setup_cell, monkeypatch):
    for name in ("SER_REPOSITORY_URL", "COLAB_JUPYTER_IP"):
        monkeypatch.delenv(name, raising=False)
    source = (ROOT / "notebooks" / "welcome.py").read_text(encoding="utf-8")
    assert pages.addressed(source, None) == source
    given = pages.addressed(source, Repository("https://gitlab.com/a/b", "a branch"))
    (line,) = (line for line in given.splitlines() if line.startswith("BOOK = "))
    exec(line, setup_cell)
    assert setup_cell["address"]() == ("https://gitlab.com/a/b", "a branch")


# ---- the set-up cell -----------------------------------------------------------------------------


@pytest.fixture
def setup_cell(capsys):
    """What the set-up cell defines; run here, where ser_lib is, it only reports."""
    text = (ROOT / "notebooks" / pages.SETUP_CELL).read_text(encoding="utf-8")
    names = {}
    exec(compile(text, pages.SETUP_CELL, "exec"), names)
    assert re.fullmatch(r"ser_lib \S+, torch \S+, GPU: .+\n", capsys.readouterr().out)
    return names


@pytest.mark.parametrize(
    ("session", "found"),
    [
        (
            "fileId=https%3A%2F%2Fgithub.com%2Fan%2Fother%2Fblob%2Fmain%2Fnotebooks%2Fwelcome.ipynb",
            ("https://github.com/an/other", "main"),
        ),
        (
            "fileId=https%3A%2F%2Fgithub.com%2Fan%2Fother%2Fblob%2Fa%2Fb%2Fnotebooks%2Fnet-1.ipynb",
            ("https://github.com/an/other", "a/b"),
        ),
        ("fileId=1bAcKq", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_colab_session_says_where_it_was_opened_from(setup_cell, session, found):
    assert tuple(setup_cell["opened_from"](session)) == found


def test_without_an_address_the_cell_says_which_variable_to_set(setup_cell, monkeypatch):
    for name in ("SER_REPOSITORY_URL", "COLAB_JUPYTER_IP"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match="SER_REPOSITORY_URL"):
        setup_cell["address"]()


def test_colabs_session_service_is_asked(setup_cell, monkeypatch):
    class Reply:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def read(self):
            path = "fileId=https%3A%2F%2Fgithub.com%2Fa%2Fb%2Fblob%2Fm%2Fnotebooks%2Fx.ipynb"
            return json.dumps([{"path": path}])

    asked = []
    monkeypatch.delenv("SER_REPOSITORY_URL", raising=False)
    monkeypatch.delenv("SER_REPOSITORY_BRANCH", raising=False)
    monkeypatch.setenv("COLAB_JUPYTER_IP", "172.28.0.12")
    monkeypatch.setenv("KMP_TARGET_PORT", "9000")
    monkeypatch.setitem(setup_cell, "urlopen", lambda url, timeout: asked.append(url) or Reply())
    assert setup_cell["address"]() == ("https://github.com/a/b", "m")
    assert asked == ["http://172.28.0.12:9000/api/sessions"]


def test_installing_adds_what_is_missing_and_pins_what_is_there(setup_cell, monkeypatch, tmp_path):
    commands = []
    project = '[project]\ndependencies = ["torch>=2.6", "PyYAML>=6", "nobody-has-this>=1"]\n'
    folder = tmp_path / "emotion-by-distance"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    assert setup_cell["install"]("https://github.com/a/b", "m") == folder
    missing, library = commands
    assert missing[0] == sys.executable
    assert missing[-3:] == ["--constraint", str(folder / "constraints.txt"), "nobody-has-this>=1"]
    assert library[-3:] == ["--no-deps", "--editable", str(folder)]
    pinned = (folder / "constraints.txt").read_text().lower()
    for name in ("torch", "numpy", "pandas"):
        assert re.search(rf"(?m)^{name}==\d", pinned)
    (folder / "pyproject.toml").write_text(project.replace("torch>=2.6", "torch>=99"))
    with pytest.raises(
        RuntimeError, match=r"too old here, and not replaced: torch \S+ for torch>=99"
    ):
        setup_cell["install"]("https://github.com/a/b", "m")


def test_a_first_installation_clones_the_repository(setup_cell, monkeypatch, tmp_path):
    def run(command, check):
        raise RuntimeError(command)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RuntimeError, match=r"'--branch', 'm', 'https://github.com/a/b'"):
        setup_cell["install"]("https://github.com/a/b", "m")
    with pytest.raises(RuntimeError, match=r"'--depth', '1', 'https://github.com/a/b'"):
        setup_cell["install"]("https://github.com/a/b", "")
