"""The tensors' names in openai's files, and in published folders."""

from collections.abc import Mapping

from torch import Tensor

from export.errors import KeysMismatch

_PARTS = {
    "encoder.conv1": "model.encoder.conv1",
    "encoder.conv2": "model.encoder.conv2",
    "encoder.positional_embedding": "model.encoder.embed_positions.weight",
    "encoder.ln_post": "model.encoder.layer_norm",
    "decoder.token_embedding": "model.decoder.embed_tokens",
    "decoder.positional_embedding": "model.decoder.embed_positions.weight",
    "decoder.ln": "model.decoder.layer_norm",
}
_ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj"}
_BLOCK = {
    **{f"attn.{theirs}": f"self_attn.{ours}" for theirs, ours in _ATTENTION.items()},
    **{f"cross_attn.{theirs}": f"encoder_attn.{ours}" for theirs, ours in _ATTENTION.items()},
    "attn_ln": "self_attn_layer_norm",
    "cross_attn_ln": "encoder_attn_layer_norm",
    "mlp.0": "fc1",
    "mlp.2": "fc2",
    "mlp_ln": "final_layer_norm",
}
_TIED = "proj_out.weight"
_EMBEDDING = "model.decoder.embed_tokens.weight"


def of_openai(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename an openai file's tensors as folders do; a name that such a file cannot have stays as it is."""
    return {_folder_name(key): tensor for key, tensor in state.items()}


def to_openai(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a folder's tensors as openai's files do (KeyError for a name that it cannot have)."""
    return {_openai_name(key): tensor for key, tensor in state.items()}


def untied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the weights of the logits, which some folders repeat; KeysMismatch when they are no repetition."""
    kept = dict(state)
    tied = kept.pop(_TIED, None)
    if tied is not None and _EMBEDDING in kept and not tied.equal(kept[_EMBEDDING]):
        raise KeysMismatch(f"{_TIED} is not {_EMBEDDING}, which Whisper takes for its logits")
    return kept


def _folder_name(key: str) -> str:
    return _renamed(key, _PARTS, _BLOCK, "{side}.blocks.", "model.{side}.layers.")


def _openai_name(key: str) -> str:
    parts, block = ({new: old for old, new in names.items()} for names in (_PARTS, _BLOCK))
    name = _renamed(key, parts, block, "model.{side}.layers.", "{side}.blocks.")
    if name == key:
        raise KeyError(key)
    return name


def _renamed(key: str, parts: Mapping[str, str], block: Mapping[str, str], old: str, new: str) -> str:
    if key in parts:
        return parts[key]
    stem, _, leaf = key.rpartition(".")
    if stem in parts:
        return f"{parts[stem]}.{leaf}"
    for side in ("encoder", "decoder"):
        prefix = old.format(side=side)
        if key.startswith(prefix):
            number, _, part = stem.removeprefix(prefix).partition(".")
            if part in block:
                return f"{new.format(side=side)}{number}.{block[part]}.{leaf}"
    return key
