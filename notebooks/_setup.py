# Set-up, the same in every notebook: where ser_lib is missing (on Colab) it installs the
# library and leaves every package that is already there as it is; elsewhere it only reports.
import sys

if sys.version_info < (3, 11):
    raise RuntimeError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BOOK = ("", "")  # its address and branch, where the page that offers this notebook knew them
PIN = re.compile(r"[A-Za-z0-9][\w.-]*==\d[\w.!+]*")


def opened_from(session):
    """Address and branch of the GitHub repository that a Colab session was opened from."""
    pattern = r"(https://github\.com/[^/]+/[^/]+)/blob/(.+)/notebooks/[^/]+\.ipynb"
    found = re.search(pattern, unquote(session))
    return found.groups() if found else ("", "")


def address():
    """Where to install from: SER_REPOSITORY_URL, where Colab opened this notebook, or BOOK."""
    url, branch = os.environ.get("SER_REPOSITORY_URL", ""), ""
    if not url and "COLAB_JUPYTER_IP" in os.environ:
        host, port = os.environ["COLAB_JUPYTER_IP"], os.environ.get("KMP_TARGET_PORT", "9000")
        with urlopen(f"http://{host}:{port}/api/sessions", timeout=10) as reply:
            url, branch = opened_from(json.load(reply)[0]["path"])
    if not url:
        url, branch = BOOK
    if not url:
        raise RuntimeError(
            "ser_lib is not installed and this notebook does not know where it came from: set "
            "os.environ['SER_REPOSITORY_URL'] to the book's repository (anything that git can "
            "clone), and os.environ['SER_REPOSITORY_BRANCH'] for a branch of it"
        )
    return url, os.environ.get("SER_REPOSITORY_BRANCH", branch)


def install(url, branch):
    """Clone the repository and install what is missing; pip may not replace what is there."""
    folder = Path.cwd() / "emotion-by-distance"
    if not folder.is_dir():
        chosen = ["--branch", branch] if branch else []
        clone = ["git", "clone", "--quiet", "--depth", "1", *chosen, url, str(folder)]
        subprocess.run(clone, check=True)
    present = {}
    for package in importlib.metadata.distributions():  # of two of a name, the first is imported
        present.setdefault(canonicalize_name(package.metadata["Name"]), package.version)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    needed = {canonicalize_name(r.name): r for r in map(Requirement, project["dependencies"])}
    old = [f"{n} {present[n]} for {r}" for n, r in needed.items()
           if n in present and not r.specifier.contains(present[n], prereleases=True)]  # fmt: skip
    if old:
        raise RuntimeError(f"too old here, and not replaced: {', '.join(old)}")
    missing = [str(requirement) for name, requirement in needed.items() if name not in present]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if missing:
        pins = sorted(f"{name}=={number}" for name, number in present.items() if number)
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(filter(PIN.fullmatch, pins)) + "\n")
        subprocess.run([*pip, "--constraint", str(constraints), *missing], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", str(folder)], check=True)
    return folder


if importlib.util.find_spec("ser_lib") is None:
    here = Path.cwd()
    clone = next((p for p in (here, *here.parents) if (p / "ser_lib/__init__.py").is_file()), None)
    sys.path.insert(0, str(clone or install(*address())))
    importlib.invalidate_caches()

import torch

import ser_lib

device = "cuda" if torch.cuda.is_available() else "cpu"  # of the trainings on recordings
gpu = torch.cuda.get_device_name() if device == "cuda" else "none, so the CPU computes"
print(f"ser_lib {ser_lib.__version__}, torch {torch.__version__}, GPU: {gpu}")
