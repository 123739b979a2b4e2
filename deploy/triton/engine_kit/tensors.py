"""Between Triton's requests and responses and numpy arrays: the only shared code that knows `pb_utils`."""

from __future__ import annotations  # while model.py is imported, the stub has not yet put its classes into pb_utils

import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from .refusals import InvalidRequest
from .texts import decoded

Respond: TypeAlias = "Callable[[pb_utils.InferenceRequest], list[pb_utils.Tensor]]"
"""Serves one request: returns its output tensors, or raises."""


def read_parameters(args: Mapping[str, str]) -> dict[str, str]:
    """Return the `parameters` of config.pbtxt; `args` is what Triton hands to `initialize`."""
    parameters = json.loads(args["model_config"])["parameters"]
    return {key: value["string_value"] for key, value in parameters.items()}


def read_array(request: pb_utils.InferenceRequest, name: str) -> NDArray[Any]:
    """Return an input as an array; Triton itself has checked its dtype and rank. Missing: InvalidRequest."""
    found = pb_utils.get_input_tensor_by_name(request, name)
    if found is None:
        raise InvalidRequest(f"{name} is missing")
    array: NDArray[Any] = found.as_numpy()
    return array


def read_text(request: pb_utils.InferenceRequest, name: str) -> str:
    """Return the only element of a STRING input; not exactly one, or not UTF-8: InvalidRequest."""
    texts = read_texts(request, name)
    if len(texts) != 1:
        raise InvalidRequest(f"{name} must hold one string, it holds {len(texts)}")
    return texts[0]


def read_texts(request: pb_utils.InferenceRequest, name: str) -> list[str]:
    """Return all elements of a STRING input; one that is not UTF-8: InvalidRequest."""
    return [decoded(raw, name) for raw in read_array(request, name).reshape(-1)]


def tensor(name: str, value: str | NDArray[Any]) -> pb_utils.Tensor:
    """Make an output tensor: a text becomes STRING [1] in UTF-8, an array keeps its dtype and shape."""
    if isinstance(value, str):
        return pb_utils.Tensor(name, np.array([value.encode("utf-8")], dtype=np.object_))
    return pb_utils.Tensor(name, np.ascontiguousarray(value))


def error_response(error: Exception) -> pb_utils.InferenceResponse:
    """Make the response that carries `error`: INVALID_ARG for InvalidRequest, else INTERNAL and a line in the log."""
    if isinstance(error, InvalidRequest):
        refusal = pb_utils.TritonError(str(error), pb_utils.TritonError.INVALID_ARG)
        return pb_utils.InferenceResponse(error=refusal)
    pb_utils.Logger.log_error("".join(traceback.format_exception(error)))
    fault = pb_utils.TritonError(f"{type(error).__name__}: {error}", pb_utils.TritonError.INTERNAL)
    return pb_utils.InferenceResponse(error=fault)


def answer_each(requests: Iterable[pb_utils.InferenceRequest], respond: Respond) -> list[pb_utils.InferenceResponse]:
    """Answer every request by itself: `respond` gives its output tensors or raises, which fails that request only."""
    return [_answer(request, respond) for request in requests]


def _answer(request: pb_utils.InferenceRequest, respond: Respond) -> pb_utils.InferenceResponse:
    if request.is_cancelled():  # the caller has gone: without a batcher Triton hands such requests over all the same
        return pb_utils.InferenceResponse(error=pb_utils.TritonError("cancelled", pb_utils.TritonError.CANCELLED))
    try:
        return pb_utils.InferenceResponse(respond(request))
    except Exception as error:  # raised on, it would fail the whole batch
        return error_response(error)
