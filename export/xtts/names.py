"""From the tensors of a published model.pth to those of `network.Xtts`."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from export.errors import CheckpointRefused
from export.xtts import constants

_TRAINER = "xtts."
"""Before every key in files that the original's trainer wrote."""
_OF_TRAINING = ("torch_mel_spectrogram_style_encoder.", "torch_mel_spectrogram_dvae.", "dvae.")
"""Parts of the trainer's model that speaking does without; the original leaves them out, too."""
_TWICE: Mapping[str, str] = {
    "gpt.gpt.wte.": "gpt.mel_embedding.",
    "gpt.gpt_inference.transformer.wte.": "gpt.mel_embedding.",
    "gpt.gpt_inference.transformer.": "gpt.gpt.",
    "gpt.gpt_inference.pos_embedding.": "gpt.mel_pos_embedding.",
    "gpt.gpt_inference.embeddings.": "gpt.mel_embedding.",
    "gpt.gpt_inference.final_norm.": "gpt.final_norm.",
    "gpt.gpt_inference.lm_head.0.": "gpt.final_norm.",
    "gpt.gpt_inference.lm_head.1.": "gpt.mel_head.",
}
"""What the earliest files have a second time under other names."""
_NORMED = (
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
    (".weight_g", ".weight_v"),
)
"""Endings of the two tensors of a weight norm, length and direction, in torch's new spelling and in its old one."""

_HAS_NORM = re.compile(r"hifigan_decoder\.waveform_decoder\.(ups|resblocks)\..*\.weight")


def bare_state(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that speaking takes, under their published names, each once.

    Raises CheckpointRefused: a tensor is there twice with different numbers.
    """
    state = {key.removeprefix(_TRAINER): tensor for key, tensor in published.items()}
    state = {key: tensor for key, tensor in state.items() if not key.startswith(_OF_TRAINING)}
    _drop_doubles(state)
    return state


def own_state(bare: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what `bare_state` gave under the network's names: weight norms become weights, constants are checked and
    left out. Keys that are not known stay, so that the strict loading names them.

    Raises CheckpointRefused: half of a weight norm, a constant is missing or another one.
    """
    state = dict(bare)
    constants.check_and_drop(state)
    return _without_weight_norms(state)


def with_weight_norms(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's tensors with weight norms in torch's new spelling where published files have them."""
    found: dict[str, Tensor] = {}
    length, direction = _NORMED[0]
    for key, tensor in state.items():
        if _HAS_NORM.fullmatch(key):
            base = key.removesuffix(".weight")
            found[base + length], found[base + direction] = _lengths(tensor), tensor
        else:
            found[key] = tensor
    return found


def _drop_doubles(state: dict[str, Tensor]) -> None:
    for key in list(state):
        double = next((each for each in _TWICE if key.startswith(each)), None)
        if double is None:
            continue
        original = _TWICE[double] + key.removeprefix(double)
        if original not in state:
            continue
        if not torch.equal(state[key], state[original]):
            raise CheckpointRefused(f"the checkpoint has {original} and {key}, which should be the same and are not")
        del state[key]


def _without_weight_norms(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every direction is scaled to its length: over all axes but the first, as torch's weight_norm does by default."""
    found = dict(state)
    for length, direction in _NORMED:
        ending = re.compile(f"({re.escape(length)}|{re.escape(direction)})$")
        for base in sorted({ending.sub("", key) for key in state if ending.search(key)}):
            if base + length not in found or base + direction not in found:
                raise CheckpointRefused(f"the checkpoint has half of the weight norm of {base}")
            lengths, directions = found.pop(base + length), found.pop(base + direction)
            found[f"{base}.weight"] = directions * (lengths / _lengths(directions))
    return found


def _lengths(directions: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(directions.flatten(1), dim=1)
    return lengths.reshape(-1, *(1 for _ in directions.shape[1:]))
