"""A lips engine that inverts its crops and answers wrongly where mel[0, 0, 0] says so, for client tests."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SMALL, LARGE, SLOW = 1.0, 2.0, 3.0


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        faces = pb_utils.get_input_tensor_by_name(request, "FACES").as_numpy()
        mood = pb_utils.get_input_tensor_by_name(request, "MEL").as_numpy()[0, 0, 0]
        moved = 255 - faces
        if mood == SMALL:
            moved = np.ascontiguousarray(moved[:, :-1])
        if mood == LARGE:
            moved = np.concatenate([moved, moved], axis=1)
        if mood == SLOW:
            time.sleep(1.0)
        return pb_utils.InferenceResponse([pb_utils.Tensor("FACES", moved)])
