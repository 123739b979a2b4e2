"""Which files of a repository make the checkpoint: no more than are needed, no pickle where there is a safe file."""

import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from export.pull.catalogue import Wanted
from export.pull.errors import SourceBroken, SourceMissing, SourceRefused
from export.pull.files import RemoteFile, checked_path

SAFE = ".safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_WHOLE = (f"model{SAFE}", "pytorch_model.bin")
_INDEX_SUFFIX = ".index.json"
"""Order as `export.bundle.published` reads a folder: the safe format first."""

Listing = Mapping[str, RemoteFile]
ReadIndex = Callable[[RemoteFile], bytes]
"""Fetches a small file: the index that names the shards."""


def choose(listing: Listing, wanted: Wanted, where: str, read_index: ReadIndex) -> list[RemoteFile]:
    """Return the files to fetch, small ones first.

    Raises:
        SourceMissing: one is not there; the error says what is.
        SourceRefused: the file asked for is a pickle, and the same weights are there as safetensors.
        SourceBroken: the list of the shards cannot be read.
    """
    missing = [path for path in wanted.needed if path not in listing]
    if missing:
        there = ", ".join(sorted(listing)[:12]) or "nothing"
        raise SourceMissing(f"{where} has no {' and no '.join(missing)}; there is {there}")
    for path in wanted.needed:
        _refuse_pickle(path, listing, where)
    chosen = [listing[path] for path in (*wanted.needed, *wanted.optional) if path in listing]
    if wanted.weights:
        chosen += _weights(listing, where, read_index)
    return sorted(chosen, key=lambda file: file.size_bytes or 0)


def _weights(listing: Listing, where: str, read_index: ReadIndex) -> list[RemoteFile]:
    for whole in _WHOLE:
        if whole in listing:
            return [listing[whole]]
        index = listing.get(whole + _INDEX_SUFFIX)
        if index is not None:
            names = _shards(read_index(index), index.path)
            missing = [name for name in names if name not in listing]
            if missing:
                raise SourceMissing(f"{where} has no {missing[0]}, which {index.path} names")
            return [index, *(listing[name] for name in names)]
    raise SourceMissing(f"{where} has no weights: neither {' nor '.join(_WHOLE)}, in one file or in shards")


def _shards(content: bytes, index: str) -> list[str]:
    try:
        found = json.loads(content)["weight_map"]
        names = sorted({checked_path(name) for name in found.values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceBroken(f"{index} does not say which files the weights are in") from error
    if not names or any("/" in name for name in names):
        raise SourceBroken(f"{index} names no weights, or some in another folder")
    return names


def _refuse_pickle(path: str, listing: Listing, where: str) -> None:
    """A pickle is read without running code from it, and still: where there is a format without code, that is taken."""
    pure = PurePosixPath(path)
    if pure.suffix not in _PICKLES:
        return
    beside = [each for each in map(PurePosixPath, listing) if each.parent == pure.parent and each.suffix == SAFE]
    stem = pure.stem.removeprefix("pytorch_")
    safe = [each for each in beside if each.stem == stem or each.stem.startswith(f"{stem}-0")]
    if safe:
        raise SourceRefused(f"{where}: {path} is a pickle, and {safe[0]} has the same weights: take that one")
