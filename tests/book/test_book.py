"""The book itself: the sources, the built site, and the parts that build it."""

import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

from ser_lib.book import build, glue, pages, player
from ser_lib.book.repository import Repository, find_repository, web_address

ROOT = Path(__file__).parents[2]
SOURCES = pages.sources(ROOT)
COLAB = "https://colab.research.google.com/github/a-reader/their-fork/blob/a-branch/"
PAGE_LIMIT = 2_000_000  # bytes

chapters = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@cache
def parsed(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def site():
    """The built site, as on the CI of somebody's fork; chapters run only if they are stale."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SER_REPOSITORY_URL", "SER_REPOSITORY_BRANCH", "GITHUB_HEAD_REF"):
            patch.delenv(name, raising=False)
        patch.setenv("GITHUB_SERVER_URL", "https://github.com")
        patch.setenv("GITHUB_REPOSITORY", "a-reader/their-fork")
        patch.setenv("GITHUB_REF_NAME", "a-branch")
        index = build.build(site=ROOT / "_build" / "html-test")
    return index.parent


def html_pages(site):
    return [p for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]


def executed(source):
    path = ROOT / "_build" / "executed" / "builtin-smoke" / f"{source.stem}.ipynb"
    return nbformat.read(path, as_version=4)


# ---- sources -------------------------------------------------------------------------------------


def test_every_chapter_is_in_the_table_of_contents():
    toc = (ROOT / "_toc.yml").read_text()
    listed = set(re.findall(r"notebooks/([\w-]+)", toc))
    assert listed == {source.stem for source in SOURCES}


@chapters
def test_a_twin_is_in_step_and_the_set_up_cell_is_the_same(source):
    text = source.read_text(encoding="utf-8")
    setup = (ROOT / "notebooks" / pages.SETUP_CELL).read_text(encoding="utf-8")
    assert pages.with_setup(text, setup) == text, "run: make sync"
    assert source.with_suffix(".ipynb").read_text(encoding="utf-8") == pages.twin(text)


@chapters
def test_a_twin_is_valid_and_holds_no_output(source):
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    tags = [tag for cell in code for tag in cell.metadata.get("tags", ())]
    assert tags.count("parameters") == 1
    assert code[0].metadata["tags"] == ["setup", "hide-cell"]


# ---- executed notebooks --------------------------------------------------------------------------


@chapters
def test_no_output_is_an_error_or_a_warning(site, source):
    for cell in executed(source).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            if output.get("name") == "stderr":
                assert not re.search("Warning|Error|Traceback", output.text), output.text


@chapters
def test_the_stamp_is_true(site, source):
    stamp = executed(source).metadata["ser"]
    assert stamp["source"] == pages.file_hash(source)
    assert stamp["library"] == pages.tree_hash(ROOT / "ser_lib")
    assert stamp["parameters"] == {"corpus": "builtin", "profile": "smoke"}


def test_status_lists_every_chapter_as_fresh(site):
    rows = build.status()
    assert [row["page"] for row in rows] == [source.stem for source in SOURCES]
    assert all(row["fresh"] for row in rows)
    json.dumps(rows)


# ---- the site ------------------------------------------------------------------------------------


def test_every_internal_link_leads_somewhere(site):
    dead = []
    for page in html_pages(site):
        for tag, attribute in (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src")):
            for element in parsed(page).find_all(tag, **{attribute: True}):
                parts = urlsplit(element[attribute])
                if parts.scheme or parts.netloc:
                    continue
                target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
                if not target.is_file():
                    dead.append(f"{page.relative_to(site)}: {element[attribute]}")
                elif (
                    parts.fragment
                    and target.suffix == ".html"
                    and not parsed(target).find(id=unquote(parts.fragment))
                ):
                    dead.append(f"{page.relative_to(site)}: no id {element[attribute]}")
    assert not dead, "\n".join(dead)


def test_no_address_of_another_server_but_in_a_link(site):
    address = re.compile(r"(?:https?:|^)//\w")
    found = []
    for page in sorted(site.rglob("*.html")):
        for element in parsed(page).find_all(True):
            values = {k: v for k, v in element.attrs.items() if k not in ("title", "alt", "xmlns")}
            if element.name == "a":
                values.pop("href", None)
            if element.name in ("script", "style"):
                assert "thebe" not in element.text.lower(), page
                # The name of SVG's namespace is an address that nobody asks for anything.
                found += re.findall(r"https?://(?!www\.w3\.org/)\S+", element.text)
            found += [str(value) for value in values.values() if address.search(str(value))]
    assert not found, "\n".join(sorted(set(found)))


def test_the_site_has_the_pages_of_the_table_of_contents_and_the_indices(site):
    toc = set(re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text()))
    made = {str(page.relative_to(site).with_suffix("")) for page in html_pages(site)}
    assert made == toc | {"index", "genindex", "search"}
    assert {f"notebooks/{source.stem}" for source in SOURCES} <= toc


def test_a_page_of_records_says_that_its_study_is_of_real_speech(site):
    for source in SOURCES:
        article = parsed(site / "notebooks" / f"{source.stem}.html").find("article")
        text = source.read_text(encoding="utf-8")
        banner = article.select_one(".ser-banner")
        assert (banner is not None) == ("corpora.load(" in text), source.stem
        said = banner is not None and "of the study are from real speech" in banner.text
        assert said == (banner is not None and pages.reads_records(text)), source.stem


@chapters
def test_the_colab_links_open_a_file_of_the_tree(site, source):
    page = parsed(site / "notebooks" / f"{source.stem}.html")
    links = [a["href"] for a in page.find_all("a", href=True) if "colab.research" in a["href"]]
    assert links, "no link to Colab"
    for link in links:
        assert link.startswith(COLAB)
        assert (ROOT / link.removeprefix(COLAB)).is_file(), link
    assert page.find("a", class_="download", href=re.compile(rf"/{source.stem}\.ipynb$"))


def test_every_picture_has_an_alternative_text_of_its_own(site):
    for page in html_pages(site):
        pictures = parsed(page).select("article img")
        texts = [picture.get("alt", "").strip() for picture in pictures]
        for text in texts:
            assert len(text) >= 15, f"{page.name}: {text!r}"
            assert not re.search(r"\.(png|svg|jpe?g)$|^_?images/|[0-9a-f]{32}", text), text
        repeated = [text for text, count in Counter(texts).items() if count > 1]
        assert not repeated, f"{page.name}: {repeated}"


def test_every_recording_has_a_label_and_a_transcript(site):
    for page in html_pages(site):
        labels = []
        for audio in parsed(page).find_all("audio"):
            labels.append(audio["aria-label"].strip())
            assert labels[-1]
            assert audio.find_parent("figure").find("q").text.strip()
        assert len(set(labels)) == len(labels), f"{page.name}: two players have the same label"


def test_no_page_is_too_large(site):
    sizes = {p.relative_to(site): p.stat().st_size for p in html_pages(site)}
    assert not {path: size for path, size in sizes.items() if size > PAGE_LIMIT}


@chapters
def test_a_chapter_has_its_parts(site, source):
    article = parsed(site / "notebooks" / f"{source.stem}.html").find("article")
    titles = [p.text.lower() for p in article.select(".admonition-title")]
    assert any(re.search("you can|be able to|objectives", title) for title in titles)
    headings = [re.sub(r"^[\d.\s]+", "", h.text.lower()) for h in article.find_all("h2")]
    for wanted in ("exercises", "summary", "references", "run this page"):
        assert any(heading.startswith(wanted) for heading in headings), f"no section {wanted!r}"
    exercises = article.select("div.exercise")
    solutions = article.select("div.solution")
    assert len(exercises) >= 3
    assert len(solutions) == len(exercises)
    assert all("dropdown" in solution["class"] for solution in solutions)
    stamp = article.select_one("details.ser-stamp")
    assert pages.file_hash(source) in stamp.text


# ---- the parts -----------------------------------------------------------------------------------


def small_repository(root, cell="print(1 + 1)"):
    """A book of one chapter whose last cell is ``cell``."""
    for folder in ("notebooks", "ser_lib", "results"):
        (root / folder).mkdir(parents=True)
    (root / "requirements.txt").write_text("")
    (root / "notebooks" / "_setup.py").write_text("# set-up\n")
    text = (
        "# %% [markdown]\n# # One\n\n"
        '# %% tags=["parameters"]\ncorpus = "builtin"\nprofile = "smoke"\n\n'
        f"# %%\n{cell}\n"
    )
    (root / "notebooks" / "one.py").write_text(text)
    return root


def test_a_failed_chapter_fails_the_build_and_keeps_the_last_good_one(tmp_path):
    root = small_repository(tmp_path, "1 / 0")
    last = root / "_build" / "executed" / "builtin-smoke" / "one.ipynb"
    last.parent.mkdir(parents=True)
    last.write_text("the last good one")
    with pytest.raises(build.BookError, match=r"(?s)'one'.*ZeroDivisionError: division by zero"):
        build.build(root=root, report=lambda line: None)
    assert last.read_text() == "the last good one"
    assert [path.name for path in (root / "_build").iterdir()] == ["executed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"corpus": "nobody"}, "nobody"), ({"profile": "huge"}, "known: smoke, full")],
)
def test_an_unknown_name_is_refused_before_any_work(tmp_path, arguments, message):
    root = small_repository(tmp_path)
    with pytest.raises(ValueError, match=message):
        build.build(**arguments, root=root, report=lambda line: None)
    assert not (root / "_build").exists()


def test_sync_is_idempotent_and_changes_only_what_is_out_of_step(tmp_path):
    root = small_repository(tmp_path)
    source = root / "notebooks" / "one.py"
    assert build.sync(root) == (source, source.with_suffix(".ipynb"))
    assert build.sync(root) == ()
    assert source.read_text().count('"setup"') == 1
    source.with_suffix(".ipynb").unlink()
    assert build.sync(root) == (source.with_suffix(".ipynb"),)


def test_an_edit_changes_no_other_cells_identifier():
    before = json.loads(pages.twin("# %%\na = 1\n\n# %%\nb = 1\n\n# %%\na = 1\n"))["cells"]
    after = json.loads(pages.twin("# %%\na = 1\n\n# %%\nb = 2\n\n# %%\na = 1\n"))["cells"]
    assert len({cell["id"] for cell in before}) == 3
    assert [x["id"] == y["id"] for x, y in zip(before, after, strict=True)] == [True, False, True]


def test_a_hash_sees_names_and_bytes_but_not_compiled_files(tmp_path):
    (tmp_path / "a").write_text("1")
    first = pages.tree_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("2")
    assert pages.tree_hash(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "b")
    assert pages.tree_hash(tmp_path) != first
    assert pages.tree_hash(tmp_path / "nowhere") == pages.tree_hash(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/an/other.git", "https://github.com/an/other"),
        ("https://user:secret@github.com/an/other", "https://github.com/an/other"),
        ("git@github.com:an/other.git", "https://github.com/an/other"),
        ("ssh://git@github.com:22/an/other.git", "https://github.com/an/other"),
        ("https://gitlab.com/a/b/c.git\n", "https://gitlab.com/a/b/c"),
        ("/srv/git/other.git", None),
        ("file:///srv/other", None),
        ("../other", None),
        ("", None),
    ],
)
def test_the_web_address_of_a_remote(remote, address):
    assert web_address(remote) == address


def test_the_address_is_found_in_order(tmp_path):
    ci = {"GITHUB_REPOSITORY": "a/b", "GITHUB_REF_NAME": "12/merge", "GITHUB_HEAD_REF": "fix"}
    assert find_repository(tmp_path, ci) == Repository("https://github.com/a/b", "fix")
    own = {**ci, "SER_REPOSITORY_URL": "git@github.com:c/d.git", "SER_REPOSITORY_BRANCH": "dev"}
    assert find_repository(tmp_path, own) == Repository("https://github.com/c/d", "dev")
    assert find_repository(tmp_path, {}) is None
    with pytest.raises(ValueError, match="nonsense"):
        find_repository(tmp_path, {"SER_REPOSITORY_URL": "nonsense"})
    git = ("git", "-C", str(tmp_path))
    subprocess.run([*git, "init", "--quiet", "--initial-branch", "trunk"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "https://github.com/e/f.git"], check=True)
    assert find_repository(tmp_path, {}) == Repository("https://github.com/e/f", "trunk")


def test_without_an_address_a_page_offers_its_notebook_and_no_made_up_link():
    stamp = {
        "packages": {"Python": "3"},
        "started": "now",
        "seconds": 1.0,
        "parameters": {},
        **dict.fromkeys(("profile", "corpus", "data", "source", "library", "results"), "x"),
    }
    for repository in (None, Repository("https://gitlab.com/a/b", "main")):
        text = pages.footer("one", stamp, repository)
        assert "</twins/one.ipynb>" in text
        assert "os.environ['SER_REPOSITORY_URL'] = 'ADDRESS'" in text
        assert "http" not in text


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
    checkout, missing, library = commands
    assert checkout[-2:] == ["--quiet", "m"]
    assert missing[0] == sys.executable
    assert missing[-3:] == ["--constraint", "constraints.txt", "nobody-has-this>=1"]
    assert library[-3:] == ["--no-deps", "--editable", str(folder)]
    pinned = (tmp_path / "constraints.txt").read_text().lower()
    for name in ("torch", "numpy", "pandas"):
        assert re.search(rf"(?m)^{name}==\d", pinned)


def test_a_first_installation_clones_the_repository(setup_cell, monkeypatch, tmp_path):
    def run(command, check):
        raise RuntimeError(command)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RuntimeError, match=r"'clone', '--quiet', 'https://github.com/a/b'"):
        setup_cell["install"]("https://github.com/a/b", "m")


# ---- what chapters show things by ----------------------------------------------------------------


def test_a_player_is_small_labelled_and_escaped():
    signal = 0.5 * np.sin(np.arange(32000) * 0.05)
    text = player(signal, 16000, 'anger "1"', "She said <no>.")._repr_html_()
    audio = BeautifulSoup(text, "html.parser").find("audio")
    assert audio["aria-label"] == 'anger "1"'
    assert audio["src"].startswith("data:audio/flac;base64,")
    assert "She said &lt;no&gt;." in text
    assert len(text) < 64000


@pytest.mark.parametrize(
    ("signal", "label", "said"),
    [
        (np.zeros((2, 10)), "a", "b"),
        (np.zeros(0), "a", "b"),
        (np.full(10, np.nan), "a", "b"),
        (np.zeros(10), " ", "b"),
        (np.zeros(10), "a", ""),
    ],
)
def test_a_player_refuses_what_cannot_be_heard_or_read(signal, label, said):
    with pytest.raises(ValueError, match=r"finite samples|label and a transcript"):
        player(signal, 16000, label, said)


def test_glue_stores_plain_numbers_as_myst_nb_does(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **kw: shown.append((data, kw)))
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance()
    glue("x", np.float64(61.5))
    glue("y", 3, display=False)
    (data, options), (hidden, _) = shown
    assert data == {"text/plain": "61.5"}
    assert options["metadata"]["scrapbook"] == {"name": "x", "mime_prefix": ""}
    assert list(hidden) == ["application/papermill.record/text/plain"]
