"""Reads a version's folder: generation.json and which graphs there are. Needs nothing but the standard library.

The common part of generation.json (docs/GENERATE.md has the table) is read here, typed and checked; what stands under
the family's own name is handed to its front-end as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from .fields import BadFolder, Fields
from .generation import DecodingOptions

SETTINGS_FILE = "generation.json"
_COMMON = (
    *("family", "layers", "heads", "head_dim", "vocab_size", "max_positions", "start", "eos", "pad"),
    *("defaults", "suppress", "begin_suppress", "forced", "forced_eos"),
)
_DEFAULTS = (
    *("max_new_tokens", "min_new_tokens", "beams", "length_penalty", "early_stopping"),
    *("temperature", "top_k", "top_p", "repetition_penalty"),
)


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The common part of generation.json."""

    family: str
    layers: int
    """Of the decoder."""
    heads: int
    """Of the cached keys and values, a layer."""
    head_dim: int
    vocab_size: int
    """Size of the decoder's logits."""
    max_positions: int
    """Most positions of the decoder: prefix, prompt and new tokens together."""
    start: int | None
    """The decoder's first token; None where the family makes its prompts itself."""
    eos: tuple[int, ...]
    """Tokens that end a sequence; may be empty."""
    pad: int
    """Fills shorter prompts of a batch; masked, so its value does not matter but for being in the vocabulary."""
    defaults: DecodingOptions
    """What generation.json's `defaults`, `suppress`, `begin_suppress`, `forced` and `forced_eos` amount to."""
    section: Mapping[str, Any]
    """The object under the family's own name, raw; {} if there is none. Read it with `fields.Fields`."""


FeedForward: TypeAlias = "Callable[[Mapping[str, Any]], Sequence[Any]]"
"""A graph without a loop: arrays by name in, the outputs in their order out."""
OpenGraph: TypeAlias = "Callable[[Path, bool], FeedForward]"
"""The second argument: whether by the config's `openvino` block."""


@dataclass(frozen=True)
class VersionFolder:
    """One version on disk."""

    path: Path
    settings: GenerationSettings
    open_graph: OpenGraph | None = None
    """Opens a graph that a family runs by itself, with the config's session options."""

    def file(self, name: str) -> Path:
        """Return a file that must be there; BadFolder names it if it is not."""
        found = self.path / name
        if not found.is_file():
            raise BadFolder(self.path, f"{name} is missing")
        return found

    def optional_file(self, name: str) -> Path | None:
        """Return a file, or None if the version has none of that name."""
        found = self.path / name
        return found if found.is_file() else None

    def graph(self, name: str, *, accelerated: bool = False) -> FeedForward:
        """Open a graph of the family's own; BadFolder if it is missing.

        `accelerated`: by the config's `openvino` block. It compiles anew for every shape, so for few shapes only.
        """
        assert self.open_graph is not None
        return self.open_graph(self.file(name), accelerated)

    @cached_property
    def section(self) -> Fields:
        """The family's own part of generation.json, as typed fields; its errors name file and field."""
        return Fields(self.path, self.settings.section, self.settings.family)


def read_folder(path: Path, open_graph: OpenGraph | None = None) -> VersionFolder:
    """Read generation.json; BadFolder says what is missing or odd, and where. `open_graph`: see VersionFolder."""
    file = path / SETTINGS_FILE
    if not file.is_file():
        raise BadFolder(path, f"{SETTINGS_FILE} is missing")
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadFolder(path, f"{SETTINGS_FILE} is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadFolder(path, f"{SETTINGS_FILE} must be an object")
    return VersionFolder(path, _settings(Fields(path, raw, "")), open_graph)


def _settings(fields: Fields) -> GenerationSettings:
    family = fields.text("family")
    fields.only(*_COMMON, family)
    vocab_size = fields.integer("vocab_size", 2)
    last = vocab_size - 1
    max_positions = fields.integer("max_positions", 2)
    eos = fields.integers("eos", 0, last)
    return GenerationSettings(
        family=family,
        layers=fields.integer("layers", 1),
        heads=fields.integer("heads", 1),
        head_dim=fields.integer("head_dim", 1),
        vocab_size=vocab_size,
        max_positions=max_positions,
        start=fields.integer("start", 0, last) if fields.has("start") else None,
        eos=eos,
        pad=fields.integer("pad", 0, last, default=eos[0] if eos else 0),
        defaults=_defaults(fields, max_positions, last),
        section=fields.inner(family).raw if fields.has(family) else {},
    )


def _defaults(fields: Fields, max_positions: int, last: int) -> DecodingOptions:
    given = fields.inner("defaults") if fields.has("defaults") else Fields(fields.folder, {}, "defaults")
    given.only(*_DEFAULTS)
    base = DecodingOptions(
        max_new_tokens=given.integer("max_new_tokens", 1, default=max_positions),
        suppress=fields.integers("suppress", 0, last, default=()),
        begin_suppress=fields.integers("begin_suppress", 0, last, default=()),
        forced=fields.integer_map("forced", 0, last),
        forced_eos=fields.switch("forced_eos", default=False),
    )
    early = given.raw.get("early_stopping", base.early_stopping)
    if early is not None and not isinstance(early, bool):
        raise given.wrong("early_stopping", 'true, false or null ("never")')
    return replace(
        base,
        min_new_tokens=given.integer("min_new_tokens", 0, default=0),
        beams=given.integer("beams", 1, default=1),
        length_penalty=given.number("length_penalty", default=1.0),
        early_stopping=early,
        temperature=given.number("temperature", 0.0, default=0.0),
        top_k=given.integer("top_k", 0, default=0),
        top_p=given.number("top_p", 0.0, 1.0, default=1.0),
        repetition_penalty=given.number("repetition_penalty", 0.01, default=1.0),
    )
