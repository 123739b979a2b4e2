import os
from pathlib import Path

from deploy.stack.fingerprint import fingerprint


def test_an_edited_added_or_renamed_file_changes_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    source = tmp_path / "deep" / "a.py"
    source.write_text("one")
    seen = [fingerprint([tmp_path], {})]
    source.write_text("other")
    seen.append(fingerprint([tmp_path], {}))
    os.utime(source, ns=(1, 1))  # edited, but of equal length
    seen.append(fingerprint([tmp_path], {}))
    (tmp_path / "b.py").touch()
    seen.append(fingerprint([tmp_path], {}))
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    seen.append(fingerprint([tmp_path], {}))
    assert len(set(seen)) == 5


def test_settings_count_whatever_their_order(tmp_path: Path) -> None:
    assert fingerprint([tmp_path], {"a": 1, "b": 2}) == fingerprint([tmp_path], {"b": 2, "a": 1})
    assert fingerprint([tmp_path], {"a": 1}) != fingerprint([tmp_path], {"a": 2})


def test_compiled_files_do_not_count(tmp_path: Path) -> None:
    before = fingerprint([tmp_path], {})
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").touch()
    assert fingerprint([tmp_path], {}) == before
