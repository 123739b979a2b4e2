"""A detector that finds frame[0, 0, 0] faces, wrongly where frame[0, 0, 1] says so, for client tests."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

NAN, SCORE, NO_AREA, SLOW = 1, 2, 3, 4


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        frames = pb_utils.get_input_tensor_by_name(request, "FRAMES").as_numpy()
        rows = max(2, int(frames[:, 0, 0, 0].max()))
        boxes = np.zeros((len(frames), rows, 5), np.float32)
        for found, frame in zip(boxes, frames, strict=True):
            count, mood, mark = (int(value) for value in frame[0, 0])
            for index in range(count):
                found[index] = (mark + index, 5, mark + index + 10, frame.shape[0], 0.5)
            if mood == NAN:
                found[0, 0] = np.nan
            if mood == SCORE:
                found[0, 4] = 1.5
            if mood == NO_AREA:
                found[0, 2] = found[0, 0]
            if mood == SLOW:
                time.sleep(1.0)
        return pb_utils.InferenceResponse([pb_utils.Tensor("BOXES", boxes)])
