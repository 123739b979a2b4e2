"""Which pairs the models in the repository translate: what each states in its config.pbtxt. Reads only files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_STATED = re.compile(r'key:\s*"language_pairs"\s*value:?\s*\{\s*string_value:\s*"([^"]*)"')
"""The exporter writes these configs; Triton gives a model no list of the others and no way to ask for their configs."""


class ReadyPairs(Mapping[str, str]):
    """Pair -> the first of its models that is ready; whether one is, is asked only of the pairs that are looked up."""

    def __init__(self, models: Mapping[str, tuple[str, ...]], is_ready: Callable[[str], bool]) -> None:
        """`models`: as `PairModels.by_pair` gives them."""
        self._models, self._is_ready = models, is_ready

    def __getitem__(self, pair: str) -> str:
        for model in self._models.get(pair, ()):
            if self._is_ready(model):
                return model
        raise KeyError(pair)

    def __iter__(self) -> Iterator[str]:
        return (pair for pair in self._models if pair in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class PairModels:
    """The models of pairs beside this one. A config is read again only when it has changed."""

    def __init__(self, repository: Path, pattern: str) -> None:
        """`pattern`: of their folders' names, "opus_mt_*"."""
        self._repository, self._pattern = repository, pattern
        self._read: dict[Path, tuple[int, tuple[str, ...]]] = {}

    def by_pair(self) -> Mapping[str, tuple[str, ...]]:
        """Return pair -> models that state it, by name; "en-es" -> ("opus_mt_en_es",)."""
        found: dict[str, tuple[str, ...]] = {}
        for config in sorted(self._repository.glob(f"{self._pattern}/config.pbtxt")):
            for pair in self._pairs(config):
                found[pair] = (*found.get(pair, ()), config.parent.name)
        return found

    def _pairs(self, config: Path) -> tuple[str, ...]:
        try:
            changed_ns = config.stat().st_mtime_ns
            known = self._read.get(config)
            if known is None or known[0] != changed_ns:
                stated = _STATED.search(config.read_text(encoding="utf-8"))
                known = self._read[config] = (changed_ns, tuple(stated[1].split()) if stated else ())
        except OSError:  # taken away meanwhile
            return ()
        return known[1]
