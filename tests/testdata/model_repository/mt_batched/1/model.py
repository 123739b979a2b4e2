"""A batched MT engine that shouts the text back with its languages, for client tests."""

import numpy as np
import triton_python_backend_utils as pb_utils


def text(request, name):
    [[value]] = pb_utils.get_input_tensor_by_name(request, name).as_numpy()  # the batch axis must be there
    return value.decode()


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        said = text(request, "TEXT")
        shouted = f" {text(request, 'SOURCE_LANGUAGE')}>{text(request, 'TARGET_LANGUAGE')}: {said.upper()}\n"
        answer = "" if said == "nothing" else shouted
        return pb_utils.InferenceResponse([pb_utils.Tensor("TEXT", np.array([[answer.encode()]], np.object_))])
