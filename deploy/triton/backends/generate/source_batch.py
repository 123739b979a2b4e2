"""Encodes sources: one run for several where shapes or masks allow, every row of the answer in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from engine_kit.refusals import InvalidRequest
from numpy.typing import NDArray

from .generation import Source
from .graphs import Graphs
from .values import CPU, OrtValue, bind_rows, empty_value, of_array, outputs_of

_MASK = "encoder_mask"


@dataclass
class EncodedBatch:
    """The encoder's answer for sources that were encoded together."""

    cross: list[OrtValue]
    """In the order of Graphs.cross_names, each [count, heads, length, head_dim]."""
    count: int
    length: int
    mask: NDArray[np.int64] | None
    """encoder_mask [count, length], or None for graphs without."""

    def select(self, graphs: Graphs, rows: Sequence[int]) -> EncodedBatch:
        """Return these rows, as a batch of their own; itself if they are all there are."""
        if list(rows) == list(range(self.count)):
            return self
        mask = None if self.mask is None else self.mask[list(rows)]
        return EncodedBatch(graphs.gather(self.cross, rows), len(rows), self.length, mask)


@dataclass(frozen=True)
class Encoded:
    """One source's row."""

    batch: EncodedBatch
    row: int


def join_sources(graphs: Graphs, parts: Sequence[EncodedBatch]) -> EncodedBatch:
    """Return the rows of all. Different lengths (only where the graphs mask sources) are padded and masked in front."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.length for part in parts)
    fronts = [length - part.length for part in parts]
    masks = [
        np.pad(part.mask, ((0, 0), (front, 0)))
        for part, front in zip(parts, fronts, strict=True)
        if part.mask is not None
    ]
    cross = graphs.join([(part.cross, front) for part, front in zip(parts, fronts, strict=True)])
    return EncodedBatch(cross, sum(part.count for part in parts), length, np.concatenate(masks) if masks else None)


def gathered(graphs: Graphs, sources: Sequence[Source]) -> EncodedBatch:
    """Return the encodings of sources, which may come from several encoder runs, in order, as one batch.

    Nothing is copied if they are all the sources of one run.
    """
    parts: list[tuple[EncodedBatch, list[int]]] = []
    for source in sources:
        encoded: Encoded = source.encoded
        if parts and parts[-1][0] is encoded.batch:
            parts[-1][1].append(encoded.row)
        else:
            parts.append((encoded.batch, [encoded.row]))
    return join_sources(graphs, [batch.select(graphs, rows) for batch, rows in parts])


@dataclass
class SourceEncoder:
    """Runs encoder.onnx. `together`: most sources in one run; others of a batch follow, into the same tensors."""

    graphs: Graphs
    together: int
    _lengths: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """Shape of a source -> positions of its encoding, as seen before."""

    def check(self, source: Source) -> None:
        """Refuse (InvalidRequest) inputs that the graph does not take; a wrong size inside a run would hit others."""
        encoder = self.graphs.encoder
        assert encoder is not None
        wanted = sorted(set(encoder.inputs) - {_MASK})
        if sorted(source.inputs) != wanted:
            raise InvalidRequest(f"the encoder takes {', '.join(wanted)}, not {', '.join(sorted(source.inputs))}")
        for name, array in source.inputs.items():
            shape = encoder.inputs[name].shape[1:]
            fits = len(shape) == array.ndim and all(
                not isinstance(want, int) or want == size for want, size in zip(shape, array.shape, strict=False)
            )
            if not fits or not array.size:
                raise InvalidRequest(f"{name} has the shape {list(array.shape)}, the encoder wants {list(shape)}")

    def groups(self, sources: Sequence[Source]) -> list[list[Source]]:
        """Put together (order kept) what can be encoded into the same tensors."""
        if self.graphs.masks_source:
            return [list(sources)] if sources else []
        groups: dict[tuple[Any, ...], list[Source]] = {}
        for source in sources:
            groups.setdefault(_shape(source), []).append(source)
        return list(groups.values())

    def encode(self, sources: Sequence[Source]) -> None:
        """Encode one group; each source's `encoded` is set. Whatever the encoder raises comes through."""
        inputs = _stacked(sources)
        if not self.graphs.masks_source:
            inputs.pop(_MASK)
        masks = inputs.get(_MASK)
        parts = [slice(start, start + self.together) for start in range(0, len(sources), self.together)]
        length = self._length(inputs)
        if len(parts) > 1 and length is None:  # the first of this shape alone: then the size of its answer is known
            self.encode(sources[:1])
            self.encode(sources[1:])
            return
        whole = None
        if len(parts) > 1:
            settings = self.graphs.settings
            assert length is not None
            shape = (len(sources), settings.heads, length, settings.head_dim)
            whole = [empty_value(shape) for _ in self.graphs.cross_names]
        for part in parts:
            cross = self._run({name: array[part] for name, array in inputs.items()}, whole, part.start)
        cross = whole or cross
        length = int(cross[0].shape()[2])
        self._lengths[_key(inputs)] = length
        batch = EncodedBatch(cross, len(sources), length, masks)
        for row, source in enumerate(sources):
            source.encoded = Encoded(batch, row)

    def _length(self, inputs: dict[str, NDArray[Any]]) -> int | None:
        return self._lengths.get(_key(inputs))

    def _run(self, inputs: dict[str, NDArray[Any]], whole: list[OrtValue] | None, first_row: int) -> list[OrtValue]:
        """Run for some sources; into `whole`, from its row `first_row`, if given."""
        encoder = self.graphs.encoder
        assert encoder is not None
        binding = encoder.binding()
        held = []  # values look into these
        for name in encoder.inputs:
            held.append(np.ascontiguousarray(inputs[name]))
            binding.bind_ortvalue_input(name, of_array(held[-1]))
        count = len(held[0])
        for index, name in enumerate(self.graphs.cross_names):
            if whole is None:
                binding.bind_output(name, CPU)
                continue
            bind_rows(binding, name, whole[index], first_row, count)
        encoder.run(binding)
        return outputs_of(binding)


def _shape(source: Source) -> tuple[Any, ...]:
    return tuple(sorted((name, array.shape) for name, array in source.inputs.items()))


def _key(inputs: dict[str, NDArray[Any]]) -> tuple[Any, ...]:
    return tuple(sorted((name, array.shape[1:]) for name, array in inputs.items()))


def _stacked(sources: Sequence[Source]) -> dict[str, NDArray[Any]]:
    """Stack the sources' inputs; shorter ones are padded with 0 behind along their last axis, and masked there."""
    stacked = {}
    lengths: list[int] = []
    for name, first in sources[0].inputs.items():
        arrays = [source.inputs[name] for source in sources]
        lengths = [array.shape[-1] for array in arrays]
        most = max(lengths)
        whole = np.zeros((len(arrays), *first.shape[:-1], most), first.dtype)
        for row, array in enumerate(arrays):
            whole[row, ..., : array.shape[-1]] = array
        stacked[name] = whole
    stacked[_MASK] = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    return stacked
