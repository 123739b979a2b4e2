"""Stands in for `triton_python_backend_utils`, which exists only inside Triton's Python stub."""

from collections.abc import Mapping

import numpy as np


class Tensor:
    def __init__(self, name: str, array: np.ndarray) -> None:
        self._name, self._array = name, array

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> np.ndarray:
        return self._array


class TritonError(Exception):
    INTERNAL, INVALID_ARG, CANCELLED = "INTERNAL", "INVALID_ARG", "CANCELLED"

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message, self.code = message, code


class InferenceResponse:
    def __init__(self, output_tensors: list[Tensor] | None = None, error: TritonError | None = None) -> None:
        self.outputs, self.error = output_tensors or [], error


class InferenceRequest:
    def __init__(self, inputs: Mapping[str, np.ndarray], *, cancelled: bool = False) -> None:
        self.inputs, self._cancelled = inputs, cancelled

    def is_cancelled(self) -> bool:
        return self._cancelled


class Logger:
    errors: list[str] = []

    @classmethod
    def log_error(cls, message: str) -> None:
        cls.errors.append(message)


def get_input_tensor_by_name(request: InferenceRequest, name: str) -> Tensor | None:
    return Tensor(name, request.inputs[name]) if name in request.inputs else None
