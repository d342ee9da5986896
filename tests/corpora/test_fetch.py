"""Fetching from a server of the test's own: all of a corpus, or nothing."""

import http.server
import threading
import zipfile
from functools import partial

import pytest

from ser_lib import corpora
from ser_lib.corpora import CorpusError, fetch, scan
from tests.corpora.helpers import EMODB_KEYS


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pack(root, archive, inside=""):
    with zipfile.ZipFile(archive, "w") as file:
        for path in scan.walk(root):
            file.write(root / path, f"{inside}{path}")
        file.writestr("__MACOSX/wav/._a.wav", "x")


@pytest.mark.parametrize("inside", ["", "download/"])
def test_fetch_unpacks_verifies_and_renames(fake_emodb, served, tmp_path, inside):
    folder, url = served
    pack(fake_emodb, folder / "emodb.zip", inside)
    target = tmp_path / "new" / "emodb"
    source = fetch.Source(f"{url}/emodb.zip", None, "wav")
    assert fetch.fetch("emodb", target, source=source) == target
    assert len(corpora.load("emodb", target)) == len(EMODB_KEYS)
    assert [path.name for path in target.parent.iterdir()] == ["emodb"]
    with pytest.raises(CorpusError, match="exists already"):
        fetch.fetch("emodb", target, source=source)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("absent", "404"),
        ("hash", "hash"),
        ("no zip", "not a zip archive"),
        ("half", "not a zip archive"),
        ("other", "holds no folder wav/"),
        ("incomplete", "missing: wav/03a01Fa"),
    ],
)
def test_fetch_that_fails_leaves_nothing(fake_emodb, served, tmp_path, fault, message):
    folder, url = served
    archive = folder / "emodb.zip"
    known = None
    if fault == "incomplete":
        (fake_emodb / "wav" / "03a01Fa.wav").unlink()
    pack(fake_emodb, archive)
    if fault == "absent":
        archive.unlink()
    elif fault == "hash":
        known = "md5:" + "0" * 32
    elif fault == "no zip":
        archive.write_text("<html>maintenance</html>")
    elif fault == "half":
        archive.write_bytes(archive.read_bytes()[:2_000])
    elif fault == "other":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("readme.txt", "hello")
    target = tmp_path / "new" / "emodb"
    with pytest.raises((CorpusError, OSError), match=message):
        fetch.fetch("emodb", target, source=fetch.Source(f"{url}/emodb.zip", known, "wav"))
    assert list(target.parent.iterdir()) == []


def test_fetch_of_what_is_nowhere():
    with pytest.raises(ValueError, match="'folder' cannot be fetched"):
        fetch.fetch("folder")
    with pytest.raises(ValueError, match="unknown corpus 'tess'"):
        fetch.fetch("tess")
