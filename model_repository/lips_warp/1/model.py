"""lips_warp: moves the lips of a face by bending the picture. Tensors: ../config.pbtxt; arithmetic: lips_warp.py."""

from __future__ import annotations  # the stub lacks some names of the types below

from collections.abc import Mapping

import triton_python_backend_utils as pb_utils
from engine_kit.tensors import answer_each, read_array, read_parameters, tensor
from lips_settings import LipsSettings
from lips_warp import LipsWarp


class TritonPythonModel:
    """Answers batches of face crops with mel windows; requests of one merged batch are served one by one."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Read the config and lay out the tables."""
        self._lips = LipsWarp(LipsSettings.from_parameters(read_parameters(args)))

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        return [tensor("FACES", self._lips.move(read_array(request, "FACES"), read_array(request, "MEL")))]
