"""Puts the requests of a batch together for one run of the graph, and takes the answers apart. Needs only numpy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]


def mergeable(requests: Sequence[Tensors], *, batched: bool) -> list[list[int]]:
    """Group the requests (by position) that one run can serve: same inputs, same sizes but for the batch's.

    Not `batched`: each by itself. Within a group, and among groups by their first, the order is kept.
    """
    if not batched:
        return [[position] for position in range(len(requests))]
    groups: dict[object, list[int]] = {}
    for position, tensors in enumerate(requests):
        key = tuple(sorted((name, array.shape[1:]) for name, array in tensors.items()))
        groups.setdefault(key, []).append(position)
    return list(groups.values())


def merge(requests: Sequence[Tensors]) -> Tensors:
    """Concatenate each input along the batch dimension. A single request is not copied."""
    if len(requests) == 1:
        return requests[0]
    return {name: np.concatenate([tensors[name] for tensors in requests]) for name in requests[0]}


def batch_size(tensors: Tensors) -> int:
    """Return the number of items in one request: the first dimension of every tensor."""
    return int(next(iter(tensors.values())).shape[0])


def split(outputs: Tensors, sizes: Sequence[int]) -> list[dict[str, NDArray[Any]]]:
    """Give every request of a merged run its rows; ValueError when an output has not one row for each item."""
    total = sum(sizes)
    wrong = {name: array.shape for name, array in outputs.items() if array.ndim == 0 or array.shape[0] != total}
    if wrong:
        raise ValueError(f"the batch has {total} items, but the graph answered with the shapes {wrong}")
    ends = np.cumsum(sizes)
    return [
        {name: array[end - size : end] for name, array in outputs.items()}
        for end, size in zip(ends, sizes, strict=True)
    ]
