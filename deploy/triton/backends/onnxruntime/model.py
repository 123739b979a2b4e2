"""Triton backend `onnxruntime` of the embedded server: serves what Triton's native backend of that name serves.

The wheel that carries tritonserver has no native onnxruntime backend, so this Python-based one takes its name and its
configuration. In engine_kit: ort_options (config), ort_session (ONNX Runtime). Beside it: ort_signature and ort_limits
(checks), ort_batching (one run for many requests).
"""

from __future__ import annotations  # while this is imported, the stub has not yet put its classes into pb_utils

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from engine_kit.ort_options import model_path, read_options
from engine_kit.ort_session import open_session, run_options
from engine_kit.refusals import InvalidRequest
from engine_kit.tensors import error_response
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
from ort_batching import batch_size, merge, mergeable, split
from ort_limits import check_limits, read_limits
from ort_signature import agree, check_sizes


@dataclass
class _Work:
    """One request on its way: what came in, what shall go out."""

    position: int
    tensors: dict[str, NDArray[Any]]
    wanted: list[str]


class TritonPythonModel:
    """One instance of one version of a model."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Load the graph and hold it against the config; a misfit fails the load with its reason."""
        config = json.loads(args["model_config"])
        options = read_options(config)
        path = model_path(args["model_repository"], args["model_version"], options)
        name = f"{args['model_instance_name']} version {args['model_version']}"
        self._session = open_session(path, options, lambda text: pb_utils.Logger.log_info(f"{name}: {text}"))
        self._run_options = run_options(options)
        self._limits = read_limits(config)
        self._signature = agree(
            config,
            self._session.get_inputs(),
            self._session.get_outputs(),
            self._session.get_overridable_initializers(),
        )

    def execute(self, requests: Sequence[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer the requests of one batch with as few runs as their sizes allow."""
        responses: list[pb_utils.InferenceResponse] = [None] * len(requests)
        works: list[_Work] = []
        for position, request in enumerate(requests):
            try:
                works.append(self._read(position, request))
            except InvalidRequest as error:  # this request only
                responses[position] = error_response(error)
        tensors = [work.tensors for work in works]
        for group in mergeable(tensors, batched=self._signature.batched):
            self._answer([works[index] for index in group], responses)
        return responses

    def _read(self, position: int, request: pb_utils.InferenceRequest) -> _Work:
        found = {}
        for name in self._signature.inputs:
            tensor = pb_utils.get_input_tensor_by_name(request, name)
            if tensor is not None:
                found[name] = self._to_graph(name, tensor.as_numpy())
        check_sizes(self._signature, found)
        check_limits(self._limits, found, batched=self._signature.batched)
        requested = set(request.requested_output_names())
        return _Work(position, found, [name for name in self._signature.outputs if name in requested])

    def _to_graph(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        if not self._signature.symbols[name]:
            array = array.reshape(())  # Triton has no scalars: it says [1]
        if self._signature.types[name] == "TYPE_STRING":
            return _decode(name, array)
        return array

    def _answer(self, works: Sequence[_Work], responses: list[pb_utils.InferenceResponse]) -> None:
        """Run the graph once for all `works`. If that fails, once for each, so that only the guilty ones fail."""
        try:
            answers = self._run(works)
        except Exception as error:
            if len(works) > 1:
                for work in works:
                    self._answer([work], responses)
                return
            fault = InvalidRequest(str(error)) if isinstance(error, InvalidArgument) else error
            responses[works[0].position] = error_response(fault)
            return
        for work, arrays in zip(works, answers, strict=True):
            outputs = [pb_utils.Tensor(name, _to_triton(arrays[name])) for name in work.wanted]
            responses[work.position] = pb_utils.InferenceResponse(outputs)

    def _run(self, works: Sequence[_Work]) -> list[dict[str, NDArray[Any]]]:
        inputs = merge([work.tensors for work in works])
        names = [name for name in self._signature.outputs if any(name in work.wanted for work in works)]
        outputs = dict(zip(names, self._session.run(names, dict(inputs), self._run_options), strict=True))
        if len(works) == 1:
            return [outputs]
        return split(outputs, [batch_size(work.tensors) for work in works])


def _decode(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Make text of the bytes that Triton hands over; ONNX Runtime wants str."""
    try:
        texts = [bytes(item).decode("utf-8") for item in array.reshape(-1)]
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
    decoded = np.empty(len(texts), dtype=np.object_)
    decoded[:] = texts
    return decoded.reshape(array.shape)


def _to_triton(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.object_:
        encoded = np.empty(array.size, dtype=np.object_)
        encoded[:] = [str(text).encode("utf-8") for text in array.reshape(-1)]
        array = encoded.reshape(array.shape)
    return np.ascontiguousarray(array).reshape(array.shape or (1,))


onnxruntime.set_default_logger_severity(3)  # errors only: warnings about each graph's shapes fill the server's log
