"""tts_espeak: text to speech, streamed. Tensors: ../config.pbtxt; the work: espeak_speaker.py."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import triton_python_backend_utils as pb_utils
from engine_kit.tensors import error_response, read_array, read_parameters, read_text, tensor
from espeak_request import check_speaker_audio, checked_speed, plain_text
from espeak_speaker import SAMPLE_RATE_HZ, Speaker

_FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    """Streams one text per request; worker threads let the streams interleave."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Check that the voices are installed."""
        parameters = read_parameters(args)
        self._speaker = Speaker(parameters["languages"].split())
        self._max_text_chars = int(parameters["max_text_chars"])
        self._workers = ThreadPoolExecutor(int(parameters["concurrent_streams"]), "tts_espeak")

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> None:
        """Begin to answer every request by itself; the answers are sent by the worker threads."""
        for request in requests:
            sender = request.get_response_sender()
            try:
                order = self._read(request)
            except Exception as error:
                sender.send(error_response(error), flags=_FINAL)
            else:
                self._workers.submit(self._stream, sender, *order)

    def finalize(self) -> None:
        """Let the streams come to their end."""
        self._workers.shutdown(wait=True)

    def _read(self, request: pb_utils.InferenceRequest) -> tuple[str, str, float]:
        """Read and check the inputs here: once FINAL is sent, Triton may take their memory back."""
        language = read_text(request, "LANGUAGE")
        self._speaker.require(language)
        check_speaker_audio(read_array(request, "SPEAKER_AUDIO"))
        text = plain_text(read_text(request, "TEXT"), self._max_text_chars)
        return text, language, checked_speed(read_array(request, "SPEED"))

    def _stream(self, sender: pb_utils.InferenceResponseSender, text: str, language: str, speed: float) -> None:
        """Send the chunks, then FINAL, whatever happens: a stream without FINAL never ends for its caller."""
        try:
            with closing(self._speaker.speak(text, language, speed)) as chunks:
                for chunk in chunks:
                    if sender.is_cancelled():
                        break
                    sender.send(_response(chunk))
        except Exception as error:
            sender.send(error_response(error), flags=_FINAL)
        else:
            sender.send(flags=_FINAL)


def _response(chunk: np.ndarray) -> pb_utils.InferenceResponse:
    rate = np.array([SAMPLE_RATE_HZ], np.int32)
    return pb_utils.InferenceResponse([tensor("AUDIO", chunk), tensor("SAMPLE_RATE_HZ", rate)])
