"""An STT engine that takes half a second for everything, behind a queue for one, for client tests."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        time.sleep(0.5)
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor("TEXT", np.array([b"done"], np.object_)),
                    pb_utils.Tensor("LANGUAGE", np.array([b"en"], np.object_)),
                    pb_utils.Tensor("NO_SPEECH_PROBABILITY", np.array([0.0], np.float32)),
                    pb_utils.Tensor("MEAN_LOGPROB", np.array([0.0], np.float32)),
                ]
            )
            for _ in requests
        ]
