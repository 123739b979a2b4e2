"""A look at the top-level boxes of an MP4 file (ISO/IEC 14496-12), to tell a cut file from a wrong one."""

from pathlib import Path

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_NEEDED_WHOLE = frozenset({b"moov", b"mdat", b"moof"})
_MAX_BOXES = 1_000_000
"""A fragmented file of half an hour has a few thousand."""


def is_cut(path: Path) -> bool:
    """Tell whether `path` is an MP4 file that ends inside a box that holds the index or the media, or has no index.

    False for every other kind of file.
    """
    size = path.stat().st_size
    position = 0
    seen: set[bytes] = set()
    with path.open("rb") as file:
        for _ in range(_MAX_BOXES):
            file.seek(position)
            header = file.read(_LONG_HEADER_BYTES)
            if len(header) < _HEADER_BYTES:
                break
            kind, length = header[4:8], _box_length(header, size - position)
            if position == 0 and kind not in _FIRST_BOXES:
                return False
            if kind in _NEEDED_WHOLE and length > size - position:
                return True
            seen.add(kind)
            position += length
    return b"mdat" in seen and b"moov" not in seen


def _box_length(header: bytes, left: int) -> int:
    """Whole length in bytes; a length of 0 reaches to the end of the file, 1 announces a 64-bit length."""
    length = int.from_bytes(header[:4], "big")
    if length == 1 and len(header) == _LONG_HEADER_BYTES:
        length = int.from_bytes(header[8:16], "big")
    return max(length, _HEADER_BYTES) if length else left
