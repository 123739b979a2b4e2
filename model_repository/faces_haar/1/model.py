"""faces_haar: face detection. Tensors: ../config.pbtxt; the work: haar_detector.py."""

from __future__ import annotations

from collections.abc import Mapping

import triton_python_backend_utils as pb_utils
from engine_kit.tensors import answer_each, read_array, read_parameters, tensor
from haar_detector import Detector


class TritonPythonModel:
    """Finds the faces of a batch of frames per request."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Load the cascades."""
        parameters = read_parameters(args)
        self._detector = Detector(int(parameters["longest_side_px"]), float(parameters["smallest_face_fraction"]))

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        return [tensor("BOXES", self._detector.detect(read_array(request, "FRAMES")))]
