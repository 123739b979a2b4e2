"""What a step does over the whole vocabulary, in few passes and without fresh memory. Needs only numpy.

A vocabulary of 65 000 logits is 260 kB: numpy asks the kernel for such an array each time, which costs more than the
arithmetic. So intermediate results go into a buffer that each thread keeps.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_COLUMNS = 512
_kept = threading.local()


def log_sum_exp(row: NDArray[np.float32], highest: float) -> float:
    """Return the logarithm of the softmax's denominator of `row` [n]; `highest` is its largest number."""
    buffer = _buffer(len(row))
    np.subtract(row, np.float32(highest), out=buffer)
    np.exp(buffer, out=buffer)
    return highest + math.log(float(buffer.sum()))


def weights(row: NDArray[np.float32], highest: float, temperature: float) -> NDArray[np.float32]:
    """Return exp((row - highest) / temperature): softmax without its denominator. A view that the next call changes."""
    buffer = _buffer(len(row))
    np.subtract(row, np.float32(highest), out=buffer)
    np.divide(buffer, np.float32(temperature), out=buffer)
    np.exp(buffer, out=buffer)
    return buffer


class Tops(NamedTuple):
    """The maxima of columns when each row of a matrix [rows, n] is written as a table of about 512 columns.

    The k largest of some rows stand in the k columns with the largest maxima: only those need to be looked into.
    """

    values: NDArray[np.float32]
    """[rows, n]."""
    columns: NDArray[np.float32]
    """[rows, columns], or [rows, n] where n is small."""

    def largest(self, k: int, offsets: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows and places of the k largest of `values + offsets[row]`, largest first, equal ones in order."""
        width, count = self.columns.shape[1], self.values.shape[1]
        shifted = (self.columns + offsets[:, None]).reshape(-1)
        least = shifted.min()
        if k < shifted.size:
            least = np.partition(shifted, shifted.size - k)[shifted.size - k]
        rows, columns = np.divmod(np.flatnonzero(shifted >= least), width)
        depth = count // width
        places = (columns[:, None] + np.arange(depth) * width).reshape(-1)
        rows = np.repeat(rows, depth)
        if depth * width < count:  # what fills no whole row of the table
            behind = np.arange(depth * width, count)
            rows = np.concatenate([rows, np.repeat(np.arange(len(self.values)), len(behind))])
            places = np.concatenate([places, np.tile(behind, len(self.values))])
        found = self.values[rows, places] + offsets[rows]
        if k < shifted.size:  # k columns reach `least`, so k numbers do: smaller ones are out
            kept = found >= least
            rows, places, found = rows[kept], places[kept], found[kept]
        order = np.lexsort((places, rows, -found))[:k]
        return rows[order], places[order]


def tops(values: NDArray[np.float32]) -> Tops:
    """Find the maxima: the one pass over all of `values` [rows, n] that ranking needs."""
    rows, count = values.shape
    width = _width(count)
    if width == count:
        return Tops(values, values)
    depth = count // width
    return Tops(values, values[:, : depth * width].reshape(rows, depth, width).max(axis=1))


@lru_cache
def _width(count: int) -> int:
    """Return how many columns a table of `count` numbers gets: about 512, with as little left over as possible."""
    if count < 4 * _COLUMNS:
        return count
    return min(range(_COLUMNS - 64, _COLUMNS + 64), key=lambda width: count % width)


def largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the places of the k largest of `values` [n], largest first; of equal ones the first places first."""
    return tops(values[None]).largest(k, np.zeros(1, np.float32))[1]


def _buffer(size: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] | None = getattr(_kept, "buffer", None)
    if found is None or len(found) < size:
        found = _kept.buffer = np.empty(size, np.float32)
    return found[:size]
