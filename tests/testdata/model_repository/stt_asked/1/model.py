"""An STT engine that tells in an answer what it hears; TEXT counts the requests so far."""

import numpy as np
import triton_python_backend_utils as pb_utils


def text(name, value):
    return pb_utils.Tensor(name, np.array([[value.encode()]], np.object_))


class TritonPythonModel:
    def initialize(self, args):
        self._requests = 0

    def execute(self, requests):
        return [self._respond() for _ in requests]

    def _respond(self):
        self._requests += 1
        numbers = [
            pb_utils.Tensor(name, np.zeros((1, 1), np.float32)) for name in ("NO_SPEECH_PROBABILITY", "MEAN_LOGPROB")
        ]
        texts = {"TEXT": str(self._requests), "LANGUAGE": "und", "SPOKEN": "en fr"}
        return pb_utils.InferenceResponse([*numbers, *(text(name, value) for name, value in texts.items())])
