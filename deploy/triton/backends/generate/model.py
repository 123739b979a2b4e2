"""Triton backend `generate`: what Triton loads. The work is done in the package that this folder is (__init__.py).

Requests are answered through their response senders, in the default and in the decoupled transaction mode alike: so
`execute` returns at once, and requests that come while others decode can join them.
"""

from __future__ import annotations  # while this is imported, the stub has not yet put its classes into pb_utils

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from engine_kit.ort_options import read_options
from engine_kit.tensors import error_response, read_parameters, tensor

sys.path.append(str(Path(__file__).resolve().parent.parent))
# E402: only now can the package be found
from generate.engine import Engine
from generate.feed_forward import opener
from generate.folder import read_folder
from generate.frontend import Outputs, RequestTensors, open_front_end
from generate.graphs import open_graphs
from generate.limits import read_limits

_FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    """One instance of one version of a model."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Load the version's folder; what does not fit fails the load with its reason."""
        config = json.loads(args["model_config"])
        parameters = read_parameters(args)
        name = f"{args['model_instance_name']} version {args['model_version']}"
        options, log = read_options(config), lambda text: pb_utils.Logger.log_info(f"{name}: {text}")
        folder = read_folder(Path(args["model_repository"]) / args["model_version"], opener(options, log))
        limits = read_limits(parameters)
        graphs = open_graphs(folder, options, log)
        front_end = open_front_end(folder, parameters)
        self._inputs = [each["name"] for each in config.get("input", [])]
        self._decoupled = bool(config.get("model_transaction_policy", {}).get("decoupled", False))
        self._metrics = _Metrics(args["model_name"], args["model_version"])
        self._engine = Engine(graphs, front_end, limits, self._metrics.step)
        self._engine.start()

    def execute(self, requests: Sequence[pb_utils.InferenceRequest]) -> None:
        """Hand the requests to the engine, which answers them."""
        self._engine.submit(*(_Ticket(request, self._read(request), self._decoupled) for request in requests))

    def finalize(self) -> None:
        """Answer what was taken, then end."""
        self._engine.close()

    def _read(self, request: pb_utils.InferenceRequest) -> RequestTensors:
        arrays = {}
        for name in self._inputs:
            found = pb_utils.get_input_tensor_by_name(request, name)
            if found is not None:
                arrays[name] = np.array(found.as_numpy())  # a copy: Triton may take the memory back
        return RequestTensors(arrays)


class _Ticket:
    """See generate.running_job.Ticket."""

    def __init__(self, request: pb_utils.InferenceRequest, inputs: RequestTensors, decoupled: bool) -> None:
        self.inputs = inputs
        self._sender = request.get_response_sender()
        self._decoupled = decoupled

    def is_cancelled(self) -> bool:
        return bool(self._sender.is_cancelled())

    def emit(self, outputs: Outputs) -> None:
        if not self._decoupled:
            raise RuntimeError("partial responses need a model with a decoupled transaction policy")
        self._sender.send(_response(outputs))

    def succeed(self, outputs: Outputs) -> None:
        try:
            if self._decoupled and not outputs:
                self._send(None)
                return
            self._send(_response(outputs))
        except Exception as error:  # outputs that are no tensors: a fault of the front-end's
            self.fail(error)

    def fail(self, error: Exception) -> None:
        self._send(error_response(error))

    def drop(self) -> None:
        cancelled = pb_utils.TritonError("cancelled", pb_utils.TritonError.CANCELLED)
        self._send(pb_utils.InferenceResponse(error=cancelled))

    def _send(self, response: pb_utils.InferenceResponse | None) -> None:
        try:
            if response is None:
                self._sender.send(flags=_FINAL)
            else:
                self._sender.send(response, flags=_FINAL)
        except Exception as error:
            pb_utils.Logger.log_error(f"a response could not be sent: {error}")


class _Metrics:
    """How full the batches are: generations that stepped, over steps."""

    def __init__(self, model: str, version: str) -> None:
        counter = pb_utils.MetricFamily.COUNTER
        labels = {"model": model, "version": version}
        steps = pb_utils.MetricFamily(
            name="polylip_generate_steps", description="Calls of the decoder after the prompts", kind=counter
        )
        shares = pb_utils.MetricFamily(
            name="polylip_generate_shares", description="Generations that took part in those calls", kind=counter
        )
        self._families = (steps, shares)  # a metric whose family is gone does not count
        self._steps, self._shares = steps.Metric(labels=labels), shares.Metric(labels=labels)
        self._pending = [0, 0]

    def step(self, generations: int) -> None:
        """Count a step; Triton is told of several at a time, for each telling costs as much as a small step."""
        self._pending[0] += 1
        self._pending[1] += generations
        if self._pending[0] >= 64:
            self._steps.increment(self._pending[0])
            self._shares.increment(self._pending[1])
            self._pending = [0, 0]


def _response(outputs: Outputs) -> pb_utils.InferenceResponse:
    return pb_utils.InferenceResponse([tensor(name, value) for name, value in outputs.items()])


onnxruntime.set_default_logger_severity(3)  # errors only: warnings about each graph's shapes fill the server's log
