"""A boundary engine that answers the number that its text is, for client tests."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        [[text]] = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
        score = np.array([[float(text)]], np.float32)
        return pb_utils.InferenceResponse([pb_utils.Tensor("COMPLETE", score)])
