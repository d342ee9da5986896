"""The repository's address, from remotes, variables and git."""

import subprocess

import pytest

from ser_lib.book.repository import Repository, find_repository, web_address


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
