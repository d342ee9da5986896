"""Files and folders: a folder's hash."""

from ser_lib import files


def test_a_hash_sees_names_and_bytes_but_not_compiled_files(tmp_path):
    (tmp_path / "a").write_text("1")
    first = files.tree_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("2")
    assert files.tree_hash(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "b")
    assert files.tree_hash(tmp_path) != first
    assert files.tree_hash(tmp_path / "nowhere") == files.tree_hash(tmp_path / "nothing")
