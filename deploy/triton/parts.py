"""Models that a model calls by itself, without being an ensemble: Triton does not pull them along, so we name them."""

import re
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import TritonStartFailed
from deploy.triton.absent import has_version, how_to_make

_PAIR_MODELS = re.compile(r'key:\s*"pair_models"\s*value:?\s*\{\s*string_value:\s*"([^"]+)"')
"""Parameter of a routing engine: a pattern of folders' names (client/pair_models.py)."""


def with_parts(repository: Path, models: Sequence[str]) -> tuple[str, ...]:
    """Return the models with those of the repository that they route among.

    Raises:
        TritonStartFailed: one routes among models of which there is none that has a version.
    """
    named = dict.fromkeys(models)
    for model in models:
        config = repository / model / "config.pbtxt"
        pattern = _PAIR_MODELS.search(config.read_text(encoding="utf-8")) if config.is_file() else None
        if pattern is None:
            continue
        found = sorted(folder.name for folder in repository.glob(pattern[1]) if has_version(folder))
        if not found:
            raise TritonStartFailed(f"not loaded: {model}\n{model}: no {pattern[1]} has a version{how_to_make(model)}")
        named |= dict.fromkeys(found)
    return tuple(named)
