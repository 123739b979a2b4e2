"""Reads a published folder: config.json, model.pth, vocab.json; speakers_xtts.pth is read when it is wanted."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from export.bundle.published import CONFIG, Published, read_json
from export.checkpoint import check_finite_state, load_pickle, sha256_of, tensors_by_name
from export.errors import CheckpointRefused
from export.xtts.names import bare_state, own_state
from export.xtts.settings import XttsSettings, languages_of, settings_of
from export.xtts.stand_ins import stand_ins
from export.xtts.vocabulary import VOCABULARY, read_vocabulary, text_tokens

WEIGHTS = "model.pth"
_MODEL = "model"
"""Where the file has its tensors; beside them are settings, and a trainer's state."""


def read_xtts(path: Path) -> Published:
    """Read the folder; its tensors get the network's names (`names.own_state`).

    Raises:
        CheckpointRefused: no such folder, a file is missing, damaged or would run code; not XTTS-v2.
        NotFinite: a weight is NaN or infinite.
    """
    if not path.is_dir():
        raise CheckpointRefused(f"there is no folder {path}")
    for name in (CONFIG, VOCABULARY, WEIGHTS):
        if not (path / name).is_file():
            raise CheckpointRefused(f"{path.name} has no file {name}")
    config = read_json(path / CONFIG)
    settings = settings_of(config, text_tokens(read_vocabulary(path / VOCABULARY), languages_of(config)))
    state = own_state(read_weights(path / WEIGHTS))
    check_finite_state(state, WEIGHTS)
    _check_fit(settings, state)
    return Published(path, config, state, sha256_of(path / WEIGHTS))


def published_settings(published: Published) -> XttsSettings:
    """Return the sizes of a folder that has been read."""
    tokens = text_tokens(read_vocabulary(published.needed(VOCABULARY)), languages_of(published.settings))
    return settings_of(published.settings, tokens)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read model.pth: the tensors that speaking takes, under their published names.

    Raises CheckpointRefused: damaged, would run code, or no checkpoint of XTTS.
    """
    with stand_ins():
        found = load_pickle(path)
    if not isinstance(found, Mapping) or not isinstance(found.get(_MODEL), Mapping):
        raise CheckpointRefused(f"{path.name} is no checkpoint of XTTS: it has no {_MODEL!r}")
    return bare_state(tensors_by_name(found[_MODEL], path.name))


def _check_fit(settings: XttsSettings, state: Mapping[str, Tensor]) -> None:
    """Say in words what `load_strict` would say in shapes: the mistakes that users can make with these folders."""
    if "gpt.prompt_embedding.weight" in state:
        raise CheckpointRefused("these are XTTS-v1 weights (no perceiver); only XTTS-v2 can be exported")
    table = state.get("gpt.text_embedding.weight")
    if table is not None and table.shape[0] != settings.text_tokens:
        raise CheckpointRefused(
            f"{VOCABULARY} is not of this checkpoint: it has {settings.text_tokens} tokens, "
            f"the text embedding has {table.shape[0]}"
        )
    stats = state.get("mel_stats")
    if stats is not None and not (stats != 0).all():
        raise CheckpointRefused("mel_stats, which the mel is divided by, has a zero")
