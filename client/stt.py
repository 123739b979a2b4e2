"""Speech to text through Triton."""

import re

import numpy as np

from client.contracts import Float32Array, Transcription
from client.engine import Engine
from client.tensors import Answer, item, require_contract, text_array, unary_inputs

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_UNDETERMINED = "und"
"""ISO 639-2: where nothing is said, an engine that detects languages has nothing to detect one by."""
_LOGPROB_TOLERANCE = 1e-3
"""A mean of float32 logarithms may end a hair above 0."""


class TritonStt(Engine):
    """Fills the Protocol `SttEngine`."""

    def transcribe(self, audio: Float32Array, language: str = "", *, traceparent: str = "") -> Transcription:
        """Transcribe mono 16 kHz audio in -1..1, shape [n]; `language` "" means detect, "en es" one of these.

        Raises:
            EngineError: see client/errors.py.
        """
        if audio.ndim != 1 or audio.dtype != np.float32:
            raise ValueError(f"audio must be float32 [n], got {audio.dtype} {list(audio.shape)}")
        batched = self.batched
        inputs = {"AUDIO": item(audio, batched=batched), "LANGUAGE": text_array(language, batched=batched)}
        result = self._connection.infer(
            self.model, unary_inputs(inputs), timeout_s=self._timeout_s, traceparent=traceparent
        )
        answer = Answer(self.model, result, batched=batched)
        heard_language = answer.text("LANGUAGE")
        named = _LANGUAGE.fullmatch(heard_language) is not None
        require_contract(self.model, named, f"output LANGUAGE is {heard_language!r}, expected an ISO 639-1 code")
        return Transcription(
            text=answer.text("TEXT").strip(),
            language="" if heard_language == _UNDETERMINED else heard_language,
            no_speech_probability=answer.number("NO_SPEECH_PROBABILITY", 0.0, 1.0),
            mean_logprob=answer.number("MEAN_LOGPROB", high=_LOGPROB_TOLERANCE),
        )
