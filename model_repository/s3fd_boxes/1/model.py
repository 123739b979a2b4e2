"""s3fd_boxes: what the network `s3fd` says becomes faces. Tensors: ../config.pbtxt; the work: s3fd_decode.py."""

from __future__ import annotations

from collections.abc import Mapping

import triton_python_backend_utils as pb_utils
from engine_kit.boxes import padded
from engine_kit.refusals import InvalidRequest
from engine_kit.tensors import answer_each, read_array, read_parameters, tensor
from s3fd_decode import STRIDES_PX, faces_of


class TritonPythonModel:
    """Decodes a batch of frames per request."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Read the thresholds."""
        parameters = read_parameters(args)
        self._face_score = float(parameters["face_score"])
        self._nms_overlap = float(parameters["nms_overlap"])

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        levels = [read_array(request, f"LEVEL_{stride}") for stride in STRIDES_PX]
        if not len(levels[0]):
            raise InvalidRequest("LEVEL_4 holds no frame")
        frames = zip(*levels, strict=True)
        return [tensor("BOXES", padded([faces_of(frame, self._face_score, self._nms_overlap) for frame in frames]))]
