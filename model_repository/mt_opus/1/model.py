"""mt_opus: routes to the models of single pairs. Tensors: ../config.pbtxt; the way: opus_route.py.

Requests are answered through their response senders, and `execute` returns at once: so the requests of many callers
reach the models of pairs at the same time, which decode them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import triton_python_backend_utils as pb_utils
from engine_kit.refusals import InvalidRequest
from engine_kit.tensors import error_response, read_parameters, read_text, tensor
from opus_pairs import PairModels, ReadyPairs
from opus_route import Hop, route

_FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
_OUTPUTS = ["TEXT", "LOST_NUMBERS"]


class TritonPythonModel:
    """Translates one text per request, many at a time."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Read the config; the pairs' models are looked for with every request."""
        parameters = read_parameters(args)
        self._pairs = PairModels(Path(args["model_repository"]).parent, parameters["pair_models"])
        self._pivot = parameters["pivot_language"]
        self._running: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references

    async def execute(self, requests: Sequence[pb_utils.InferenceRequest]) -> None:
        """Begin to serve the requests."""
        for request in requests:
            task = asyncio.create_task(self._serve(request))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _serve(self, request: pb_utils.InferenceRequest) -> None:
        sender = request.get_response_sender()
        try:
            response = pb_utils.InferenceResponse(await self._translate(request))
        except Exception as error:  # whatever it is: somebody waits for an answer
            response = error_response(error)
        sender.send(response, flags=_FINAL)

    async def _translate(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        text, source, target = (read_text(request, name) for name in ("TEXT", "SOURCE_LANGUAGE", "TARGET_LANGUAGE"))
        lost: list[str] = []
        ready = ReadyPairs(self._pairs.by_pair(), pb_utils.is_model_ready)
        for hop in route(source, target, ready, self._pivot):
            text, numbers = await _ask(hop, text)
            lost += [number for number in numbers if number not in lost]
        return [tensor("TEXT", text), tensor("LOST_NUMBERS", " ".join(lost))]


async def _ask(hop: Hop, text: str) -> tuple[str, Sequence[str]]:
    """Have one model translate; its refusal is this engine's, for the caller's text is what it refuses."""
    inputs = [tensor("TEXT", text), tensor("TARGET_LANGUAGE", hop.target)]
    asked = pb_utils.InferenceRequest(model_name=hop.model, requested_output_names=_OUTPUTS, inputs=inputs)
    response = await asked.async_exec()
    if response.has_error():
        message = response.error().message()
        if message.startswith(
            tuple(each.name() for each in inputs)
        ):  # how refusals begin; the status is lost on the way
            raise InvalidRequest(message)
        raise RuntimeError(f"{hop.model}: {message}")
    found = {output.name(): output.as_numpy().reshape(-1)[0].decode("utf-8") for output in response.output_tensors()}
    return found["TEXT"], found["LOST_NUMBERS"].split()
