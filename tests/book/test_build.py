"""The book's build on a repository of one chapter."""

import pytest

from ser_lib.book import build


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
