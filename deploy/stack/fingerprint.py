"""Tells whether code or settings have changed since a service was started."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

_SKIPPED_FOLDERS = {"__pycache__"}


def fingerprint(folders: Iterable[Path], settings: Mapping[str, object]) -> str:
    """Return a digest of the files under `folders` and of `settings` (JSON types).

    A file counts by name, size and modification time: weights of gigabytes lie in the model repository. Compiled
    Python does not count, since running a service writes it.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not _SKIPPED_FOLDERS & set(path.relative_to(folder).parts):
                stat = path.stat()
                digest.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
