"""What a step does over the whole vocabulary, in few passes and without fresh memory. Needs only numpy.

A vocabulary of 65 000 logits is 260 kB: numpy asks the kernel for such an array each time, which costs more than the
arithmetic. So intermediate results go into a buffer that each thread keeps.
"""

from __future__ import annotations

import math
import threading
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
    """The maxima of columns when each row of a matrix [rows, n] is written as a table of 512 columns.

    The k largest of some rows stand in the k columns with the largest maxima: only those need to be sorted.
    """

    values: NDArray[np.float32]
    """[rows, n]."""
    columns: NDArray[np.float32]
    """[rows, 512], or [rows, n] where n is small."""

    @property
    def highest(self) -> NDArray[np.float32]:
        """The largest number of each row; NaN if the row holds one."""
        tail = self._tail()
        highest: NDArray[np.float32] = self.columns.max(axis=1)
        return highest if tail == self.values.shape[1] else np.maximum(highest, self.values[:, tail:].max(axis=1))

    def largest(self, k: int, offsets: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows and places of the k largest of `values + offsets[row]`, largest first, equal ones in order."""
        shifted = (self.columns + offsets[:, None]).reshape(-1)
        k_columns = min(k, shifted.size)
        least = np.partition(shifted, shifted.size - k_columns)[shifted.size - k_columns]
        rows, columns = np.divmod(np.flatnonzero(shifted >= least), self.columns.shape[1])
        tail = self._tail()
        depth = tail // self.columns.shape[1]
        places = (columns[:, None] + np.arange(depth) * self.columns.shape[1]).reshape(-1)
        rows = np.repeat(rows, depth)
        if tail < self.values.shape[1]:
            every = np.arange(len(self.values))
            behind = np.arange(tail, self.values.shape[1])
            rows = np.concatenate([rows, np.repeat(every, len(behind))])
            places = np.concatenate([places, np.tile(behind, len(every))])
        found = self.values[rows, places] + offsets[rows]
        if k < len(found):
            kept = found >= np.partition(found, len(found) - k)[len(found) - k]
            rows, places, found = rows[kept], places[kept], found[kept]
        order = np.lexsort((places, rows, -found))[:k]
        return rows[order], places[order]

    def _tail(self) -> int:
        """Return where the places begin that fill no whole row of the table."""
        width = self.columns.shape[1]
        return int(self.values.shape[1] // width * width)


def tops(values: NDArray[np.float32]) -> Tops:
    """Find the maxima: the one pass over all of `values` [rows, n] that ranking needs."""
    rows, count = values.shape
    if count < 4 * _COLUMNS:
        return Tops(values, values)
    depth = count // _COLUMNS
    return Tops(values, values[:, : depth * _COLUMNS].reshape(rows, depth, _COLUMNS).max(axis=1))


def largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the places of the k largest of `values` [n], largest first; of equal ones the first places first."""
    return tops(values[None]).largest(k, np.zeros(1, np.float32))[1]


def _buffer(size: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] | None = getattr(_kept, "buffer", None)
    if found is None or len(found) < size:
        found = _kept.buffer = np.empty(size, np.float32)
    return found[:size]
