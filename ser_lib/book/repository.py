"""The repository's address on the web, found in one place, for launch links."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_URL = re.compile(r"^(?:https?|ssh|git)://(?:[^@/]+@)?([^/:]+\.[^/:]+)(?::\d+)?/(.+)$")
_SCP = re.compile(r"^[^@/:]+@([^/:]+\.[^/:]+):(.+)$")


@dataclass(frozen=True)
class Repository:
    """Where the repository lies on the web, and on which branch."""

    url: str
    branch: str

    @property
    def on_colab(self) -> bool:
        """Whether Colab can open it: Colab knows GitHub only."""
        return self.url.startswith("https://github.com/")

    def colab(self, path: str) -> str:
        """Address at which Colab opens the file ``path`` of the tree.

        Examples:
            >>> Repository("https://github.com/an/other", "main").colab("notebooks/a.ipynb")
            'https://colab.research.google.com/github/an/other/blob/main/notebooks/a.ipynb'
        """
        place = self.url.removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{place}/blob/{self.branch}/{path}"


def web_address(remote: str) -> str | None:
    """Web address of a git remote, without user, password, port and ``.git``.

    Returns None for a folder or a host without a dot: nobody else could open it.

    Examples:
        >>> web_address("git@github.com:an/other.git")
        'https://github.com/an/other'
        >>> web_address("https://user:secret@github.com/an/other")
        'https://github.com/an/other'
        >>> web_address("/srv/git/other.git") is None
        True
    """
    found = _URL.match(remote.strip()) or _SCP.match(remote.strip())
    if not found:
        return None
    path = found[2].strip("/").removesuffix(".git")
    return f"https://{found[1]}/{path}"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:  # git is not installed: the book is built from an archive
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_repository(root: Path, env: Mapping[str, str] | None = None) -> Repository | None:
    """Address and branch for launch links, or None if nobody has said where the book lies.

    The address is ``SER_REPOSITORY_URL``, else ``GITHUB_SERVER_URL``/``GITHUB_REPOSITORY`` (set by
    GitHub's own CI), else the git remote ``origin`` of ``root`` if that is an address on the web.
    The branch is ``SER_REPOSITORY_BRANCH``, else CI's, else the one checked out, else ``main``.

    Raises:
        ValueError: ``SER_REPOSITORY_URL`` is set to something that is no address on the web.
    """
    env = os.environ if env is None else env
    if chosen := env.get("SER_REPOSITORY_URL"):
        url = web_address(chosen)
        if url is None:
            raise ValueError(f"SER_REPOSITORY_URL={chosen!r} is not an https or ssh address")
    elif env.get("GITHUB_REPOSITORY"):
        server = env.get("GITHUB_SERVER_URL", "https://github.com")
        url = web_address(f"{server}/{env['GITHUB_REPOSITORY']}")
    else:
        url = web_address(_git(root, "remote", "get-url", "origin"))
    if url is None:
        return None
    # A pull request's GITHUB_REF_NAME ("12/merge") is no branch that Colab could open.
    ci = env.get("GITHUB_HEAD_REF") or env.get("GITHUB_REF_NAME")
    branch = env.get("SER_REPOSITORY_BRANCH") or ci or _git(root, "branch", "--show-current")
    return Repository(url, branch or "main")
