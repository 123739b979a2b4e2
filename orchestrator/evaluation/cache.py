"""Answers of engines on disk, so that a measurement can be repeated and gone on with cheaply."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class AnswerCache:
    """A folder of answers; each file's name stands for everything that the answer depends on."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first answer is kept."""
        self._folder = folder

    def answer(self, kind: type[T], parts: tuple[str | bytes, ...], make: Callable[[], T]) -> T:
        """Return what is kept for `parts`, or make and keep it; a file that cannot be read is made anew."""
        path = self._path(parts, ".json")
        if path.exists():
            try:
                return msgspec.json.decode(path.read_bytes(), type=kind)
            except (msgspec.DecodeError, msgspec.ValidationError):
                path.unlink()
        made = make()
        self._write(path, msgspec.json.encode(made))
        return made

    def sound(self, parts: tuple[str | bytes, ...], make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Do the same for samples [n]; kept as little-endian float32."""
        path = self._path(parts, ".f32")
        if not path.exists():
            self._write(path, make().astype("<f4").tobytes())
        return np.frombuffer(path.read_bytes(), "<f4").astype(np.float32)

    def _path(self, parts: tuple[str | bytes, ...], suffix: str) -> Path:
        digest = hashlib.sha256()
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
        return self._folder / f"{digest.hexdigest()}{suffix}"

    def _write(self, path: Path, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.replace(path)
