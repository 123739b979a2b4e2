"""Reads checkpoint files: never runs code from them, keeps their hash, holds them strictly against a network."""

import hashlib
import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from export.errors import CheckpointRefused, KeysMismatch
from export.parity import check_finite

_SHOWN = 5
"""Keys that an error names; it also says how many there are."""


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint file."""

    file_name: str
    sha256: str
    state: Mapping[str, torch.Tensor]
    """By the network's own key names: unwrapped from {"state_dict": ...}, without "module."."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a .safetensors file, or a file that torch.save wrote, by the restricted unpickler (weights_only).

    Raises:
        CheckpointRefused: no such file, damaged, not plain tensors by name, or a pickle that wants to run code.
        NotFinite: a weight is NaN or infinite.
    """
    if not path.is_file():
        raise CheckpointRefused(f"there is no file {path}")
    found = _load_safetensors(path) if path.suffix == ".safetensors" else load_pickle(path)
    state = _bare_keys(tensors_by_name(found, path.name))
    check_finite_state(state, path.name)
    return Checkpoint(path.name, sha256_of(path), state)


def check_finite_state(state: Mapping[str, torch.Tensor], name: str) -> None:
    """Refuse weights that are NaN or infinite (NotFinite)."""
    check_finite({key: tensor.float().numpy() for key, tensor in state.items()}, f"weights of {name}")


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_strict(module: nn.Module, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """Load the tensors, every key and shape as the network has them, and switch to eval; else KeysMismatch."""
    wanted = module.state_dict()
    missing = [key for key in wanted if key not in state]
    extra = [key for key in state if key not in wanted]
    if missing or extra:
        raise KeysMismatch("; ".join(filter(None, (_some("missing", missing), _some("not of this family", extra)))))
    other = [
        f"{key} {list(state[key].shape)} instead of {list(tensor.shape)}"
        for key, tensor in wanted.items()
        if state[key].shape != tensor.shape
    ]
    if other:
        raise KeysMismatch(_some("of other shapes", other))
    module.load_state_dict(dict(state), strict=True)
    return module.eval()


def load_pickle(path: Path) -> object:
    """Read what torch.save wrote by the restricted unpickler; CheckpointRefused when it is damaged or wants more."""
    try:
        with warnings.catch_warnings():
            # Of a pickle that torch did not write; what cannot be read is refused below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = "is no file of plain tensors: damaged, or it would run code when unpickled"
        raise CheckpointRefused(f"{path.name} {reason} ({_first_line(error)})") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile, struct.error) as error:
        raise CheckpointRefused(f"{path.name} cannot be read, it may be cut off: {_first_line(error)}") from error


def _load_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointRefused(f"{path.name} cannot be read, it may be cut off: {_first_line(error)}") from error


def tensors_by_name(found: object, name: str) -> dict[str, torch.Tensor]:
    """Take {"state_dict": ...} off and hold the rest to be tensors by name (CheckpointRefused); `name`: the file's."""
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not found:
        raise CheckpointRefused(f"{name} holds {type(found).__name__}, not tensors by name")
    for key, tensor in found.items():
        if not isinstance(key, str) or not isinstance(tensor, torch.Tensor):
            raise CheckpointRefused(f"{name} is no state dict: {key!r} is {type(tensor).__name__}, not a tensor")
    return dict(found)


def _bare_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Drop "module.", which DataParallel puts before every key, when every key has it."""
    if all(key.startswith("module.") for key in state):
        return {key.removeprefix("module."): tensor for key, tensor in state.items()}
    return dict(state)


def _some(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names)} key(s) {what}: {', '.join(names[:_SHOWN])}{more}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
