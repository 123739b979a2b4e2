"""Administration of Triton's model repository."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from client.connection import TritonConnection
from client.contracts import EngineStatus
from client.pinned import pinned
from client.sample import Arrays
from client.tensors import unary_inputs


class ModelRepository:
    """Lists, loads and unloads models; errors are those of client/errors.py."""

    def __init__(self, connection: TritonConnection, *, load_timeout_s: float = 300.0) -> None:
        """`load_timeout_s`: reading weights and warming up takes minutes for the largest models."""
        self._connection = connection
        self._load_timeout_s = load_timeout_s

    def statuses(self) -> Sequence[EngineStatus]:
        """List every model version that Triton knows, loaded or not."""
        return self._connection.statuses()

    def load(self, model: str) -> None:
        """Load the model, or take over what changed in its folder; while it loads, the old version serves.

        Raises:
            EngineRefused: it does not load; the detail is the model's own error. What served before still serves.
            EngineUnavailable, EngineTimeout: Triton did not answer.
        """
        self._connection.load(model, timeout_s=self._load_timeout_s)

    def unload(self, model: str) -> None:
        """Unload the model; returns at once, requests in flight finish."""
        self._connection.unload(model, timeout_s=self._load_timeout_s)

    def ready_versions(self, model: str) -> tuple[int, ...]:
        """Return the versions of the model that Triton serves; callers who name none get the highest."""
        found = (each.version for each in self.statuses() if each.name == model and each.ready)
        return tuple(sorted(int(version) for version in found))

    def answer(self, model: str, version: int, inputs: Arrays, *, timeout_s: float) -> Arrays:
        """Run one inference on exactly this version; texts go in and come out as Unicode.

        Responses of a decoupled model are joined along their first axis; what each of them repeats is given once.
        Raises EngineError.
        """
        arrays = {name: _to_triton(array) for name, array in inputs.items()}
        name = pinned(model, str(version))
        if self._connection.is_decoupled(model):
            results = list(self._connection.stream(name, arrays, timeout_s=timeout_s, strict=True))
        else:
            results = [self._connection.infer(name, unary_inputs(arrays), timeout_s=timeout_s, strict=True)]
        outputs = [output.name for result in results[:1] for output in result.get_response().outputs]
        return {each: _joined([_to_numpy(result.as_numpy(each)) for result in results]) for each in outputs}


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    repeated = all(np.array_equal(part, parts[0]) for part in parts)
    return parts[0] if repeated else np.concatenate(parts)


def _to_triton(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "U":
        return array
    encoded = np.empty(array.size, np.object_)
    encoded[:] = [str(text).encode() for text in array.reshape(-1)]
    return encoded.reshape(array.shape)


def _to_numpy(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "O":
        return array
    return np.array([bytes(each).decode(errors="replace") for each in array.reshape(-1)], np.str_).reshape(array.shape)
