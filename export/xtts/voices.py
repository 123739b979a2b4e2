"""speakers_xtts.pth becomes voices.npz: the voices that a checkpoint was published with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from export.bundle.published import Published
from export.checkpoint import load_pickle
from export.errors import CheckpointRefused
from export.parity import check_finite
from export.xtts.settings import EMBEDDING, LATENTS, XttsSettings

SPEAKERS = "speakers_xtts.pth"
VOICES = "voices.npz"


def write_voices(published: Published, settings: XttsSettings, folder: Path) -> None:
    """Write the file if the checkpoint has voices: names <U [n], latents FP32 [n, 32, width], embeddings FP32 [n, 512].

    Raises:
        CheckpointRefused: the file is damaged, would run code, or holds no voices of this network.
        NotFinite: a voice is NaN or infinite.
    """
    path = published.file(SPEAKERS)
    if path is None:
        return
    voices = _read(path, settings)
    np.savez(
        folder / VOICES,
        names=np.array(list(voices)),
        latents=np.stack([latents for latents, _ in voices.values()]),
        embeddings=np.stack([embedding for _, embedding in voices.values()]),
    )


_Voice = tuple[NDArray[np.float32], NDArray[np.float32]]


def _read(path: Path, settings: XttsSettings) -> dict[str, _Voice]:
    found = load_pickle(path)
    if not isinstance(found, Mapping) or not found or not all(isinstance(name, str) for name in found):
        raise CheckpointRefused(f"{path.name} holds {type(found).__name__}, not voices by name")
    return {name: _voice(name, voice, settings, path.name) for name, voice in found.items()}


def _voice(name: str, voice: object, settings: XttsSettings, file_name: str) -> _Voice:
    if not isinstance(voice, Mapping):
        raise CheckpointRefused(f"{file_name}: the voice {name!r} is {type(voice).__name__}, not tensors by name")
    latents = _tensor(voice, "gpt_cond_latent", (1, LATENTS, settings.width), f"{file_name}: the voice {name!r}")
    embedding = _tensor(voice, "speaker_embedding", (1, EMBEDDING, 1), f"{file_name}: the voice {name!r}")
    check_finite({name: latents, f"{name} (embedding)": embedding}, f"voices of {file_name}")
    return latents[0], embedding[0, :, 0]


def _tensor(voice: Mapping[Any, Any], key: str, shape: tuple[int, ...], where: str) -> NDArray[np.float32]:
    found = voice.get(key)
    if not isinstance(found, torch.Tensor) or tuple(found.shape) != shape:
        have = list(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise CheckpointRefused(f"{where} has no {key} {list(shape)}: {have}")
    array: NDArray[np.float32] = found.detach().float().numpy()
    return array
