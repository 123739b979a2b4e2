"""sentence_boundary_tokens: texts as the network reads them. Tensors: ../config.pbtxt; the work: boundary_tokens.py."""

from __future__ import annotations

import numpy as np
import triton_python_backend_utils as pb_utils
from boundary_tokens import features_of
from engine_kit.refusals import InvalidRequest
from engine_kit.tensors import answer_each, read_texts, tensor


class TritonPythonModel:
    """Reads a batch of texts per request."""

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        texts = read_texts(request, "TEXT")
        if not texts:
            raise InvalidRequest("TEXT holds no string")
        return [tensor("TOKENS", np.stack([features_of(text) for text in texts]))]
