"""An STT engine whose LANGUAGE says how it behaves, for tests of the client."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils


def answer(text=b"hello", language=b"en", no_speech=0.1, logprob=-0.2):
    return pb_utils.InferenceResponse(
        [
            pb_utils.Tensor("TEXT", np.array([text], np.object_)),
            pb_utils.Tensor("LANGUAGE", np.array([language], np.object_)),
            pb_utils.Tensor("NO_SPEECH_PROBABILITY", np.array([no_speech], np.float32)),
            pb_utils.Tensor("MEAN_LOGPROB", np.array([logprob], np.float32)),
        ]
    )


def fail(message, code):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        mood = pb_utils.get_input_tensor_by_name(request, "LANGUAGE").as_numpy()[0].decode()
        audio = pb_utils.get_input_tensor_by_name(request, "AUDIO").as_numpy()
        if mood == "slow":
            time.sleep(1.5)
        if mood == "raise":
            raise RuntimeError("the model broke")
        errors = {
            "refuse": ("AUDIO holds NaN", pb_utils.TritonError.INVALID_ARG),
            "fault": ("out of luck", pb_utils.TritonError.INTERNAL),
            "away": ("leaving", pb_utils.TritonError.UNAVAILABLE),
        }
        if mood in errors:
            return fail(*errors[mood])
        answers = {
            "nan": {"logprob": np.nan},
            "improbable": {"no_speech": 1.5},
            "positive": {"logprob": 0.5},
            "binary": {"text": b"\xff\xfe"},
            "nameless": {"language": b""},
            "samples": {"text": f"{audio.size} samples, mean {audio.mean():.3f}".encode()},
        }
        return answer(**answers.get(mood, {}))
