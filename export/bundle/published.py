"""Reads what is published as a folder: config.json, weights in one file or in shards, tokenizer files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from export.checkpoint import Checkpoint, read_checkpoint
from export.errors import CheckpointRefused

CONFIG = "config.json"
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Shards are listed in {"weight_map": {key: file name}}; the safe format is preferred, as the library does."""


@dataclass(frozen=True)
class Published:
    """A checkpoint as it was published, read and checked to be finite."""

    path: Path
    """The folder, or the file where one file has everything."""
    settings: Mapping[str, Any]
    """config.json, or what a family's file format has in its place."""
    state: Mapping[str, torch.Tensor]
    """The tensors by their published names."""
    sha256: str
    """Of the weights: the file's, or of all shards together (`joint_sha256`)."""

    @property
    def name(self) -> str:
        """Of the folder or file."""
        return self.path.resolve().name

    def file(self, name: str) -> Path | None:
        """Return a further file of the folder; None when it is not there, or when this is no folder."""
        found = self.path / name
        return found if self.path.is_dir() and found.is_file() else None

    def needed(self, name: str) -> Path:
        """Return a further file of the folder; CheckpointRefused when it is not there."""
        found = self.file(name)
        if found is None:
            raise CheckpointRefused(f"{self.name} has no file {name}")
        return found

    def as_checkpoint(self) -> Checkpoint:
        """The facts that a manifest keeps."""
        return Checkpoint(self.name, self.sha256, self.state)


def read_folder(path: Path, model_types: Sequence[str]) -> Published:
    """Read a folder in Hugging Face's layout.

    Raises:
        CheckpointRefused: no such folder, a file is missing, damaged or would run code, or `model_type` in
            config.json is none of `model_types`.
        NotFinite: a weight is NaN or infinite.
    """
    if not path.is_dir():
        raise CheckpointRefused(f"there is no folder {path}")
    if not (path / CONFIG).is_file():
        raise CheckpointRefused(f"{path.name} has no file {CONFIG}")
    settings = read_json(path / CONFIG)
    if settings.get("model_type") not in model_types:
        kind = settings.get("model_type")
        raise CheckpointRefused(f"{path.name} is a checkpoint of the family {kind!r}, not {' or '.join(model_types)}")
    parts = [read_checkpoint(each) for each in _weight_files(path)]
    state: dict[str, torch.Tensor] = {}
    for part in parts:
        state |= part.state
    return Published(path, settings, state, joint_sha256(parts))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; CheckpointRefused when the file is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointRefused(f"{path.name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise CheckpointRefused(f"{path.name} holds {type(found).__name__}, not an object")
    return found


def joint_sha256(parts: Sequence[Checkpoint]) -> str:
    """Return the one file's hash, or the hash of the lines "<sha256>  <file name>" of all shards, sorted by name."""
    if len(parts) == 1:
        return parts[0].sha256
    lines = "".join(f"{part.sha256}  {part.file_name}\n" for part in sorted(parts, key=lambda part: part.file_name))
    return hashlib.sha256(lines.encode()).hexdigest()


def _weight_files(folder: Path) -> list[Path]:
    for whole, index in zip(_WHOLE, _INDEXES, strict=True):
        if (folder / whole).is_file():
            return [folder / whole]
        if (folder / index).is_file():
            return _shards(folder, index)
    raise CheckpointRefused(f"{folder.name} has no weights: none of {', '.join((*_WHOLE, *_INDEXES))}")


def _shards(folder: Path, index: str) -> list[Path]:
    listed = read_json(folder / index).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise CheckpointRefused(f"{index} has no weight_map")
    names = sorted({str(name) for name in listed.values()})
    strange = [name for name in names if Path(name).name != name]
    if strange:
        raise CheckpointRefused(f"{index} names a file outside the folder: {strange[0]}")
    return [folder / name for name in names]
