"""stt_pocketsphinx: English speech to text. Tensors: ../config.pbtxt; the work: pocketsphinx_ear.py."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import triton_python_backend_utils as pb_utils
from engine_kit.refusals import require_one_of
from engine_kit.tensors import answer_each, read_array, read_parameters, read_text, tensor
from pocketsphinx_audio import check_audio
from pocketsphinx_ear import Ear


class TritonPythonModel:
    """Transcribes one recording per request."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Load the acoustic model, the dictionary and the language model (0.3 s)."""
        parameters = read_parameters(args)
        self._languages = parameters["languages"].split()
        self._max_audio_s = float(parameters["max_audio_s"])
        self._ear = Ear()

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        language = read_text(request, "LANGUAGE") or self._languages[0]  # the only one there is to detect
        require_one_of(language, "LANGUAGE", self._languages)
        audio = read_array(request, "AUDIO")
        check_audio(audio, self._max_audio_s)
        text, no_speech_probability, mean_logprob = self._ear.hear(audio)
        return [
            tensor("TEXT", text),
            tensor("LANGUAGE", language),
            tensor("NO_SPEECH_PROBABILITY", np.array([no_speech_probability], np.float32)),
            tensor("MEAN_LOGPROB", np.array([mean_logprob], np.float32)),
        ]
