"""Text to speech through Triton, streamed."""

from collections.abc import Iterator, Sequence

import numpy as np

from client.contracts import AudioChunk, Float32Array, SpeechPace
from client.engine import Engine
from client.tensors import Answer, item, require_contract, text_array

_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 8_000, 96_000
_FULL_SCALE = 1.001
"""A filter's last bit of overshoot is no violation."""


class TritonTts(Engine):
    """Fills the Protocol `TtsEngine`."""

    def speak(
        self,
        text: str,
        language: str,
        speaker_audio: Float32Array | None = None,
        speed: float = 1.0,
        *,
        traceparent: str = "",
    ) -> Iterator[AudioChunk]:
        """Yield chunks as they are made. `speaker_audio`: mono 22.05 kHz. Closing the iterator cancels the work.

        Raises:
            EngineError: see client/errors.py; while iterating.
        """
        speaker = np.zeros(0, np.float32) if speaker_audio is None else speaker_audio
        if speaker.ndim != 1 or speaker.dtype != np.float32:
            raise ValueError(f"speaker_audio must be float32 [n], got {speaker.dtype} {list(speaker.shape)}")
        return self._stream(text, language, speaker, speed, traceparent)

    def languages(self) -> Sequence[str]:
        """Return the ISO 639-1 codes that the engine states in its config (parameter `languages`)."""
        return self.config.languages()

    def pace(self) -> SpeechPace:
        """Return what the engine's config states about its speed."""
        return self.config.speech_pace()

    def clones_voice(self) -> bool:
        """Tell whether the engine's config states that it speaks as `speaker_audio` does."""
        return self.config.clones_voice()

    def max_text_chars(self) -> int | None:
        """Return how many characters the engine's config states for one text; None when it states nothing."""
        return self.config.max_text_chars()

    def _stream(
        self, text: str, language: str, speaker: Float32Array, speed: float, traceparent: str
    ) -> Iterator[AudioChunk]:
        batched = self.batched
        arrays = {
            "TEXT": text_array(text, batched=batched),
            "LANGUAGE": text_array(language, batched=batched),
            "SPEAKER_AUDIO": item(speaker, batched=batched),
            "SPEED": item(np.array([speed], np.float32), batched=batched),
        }
        sample_rate_hz = 0
        for result in self._connection.stream(self.model, arrays, timeout_s=self._timeout_s, traceparent=traceparent):
            chunk = self._chunk(Answer(self.model, result, batched=batched))
            steady = sample_rate_hz in (0, chunk.sample_rate_hz)
            require_contract(self.model, steady, "SAMPLE_RATE_HZ changed within one stream")
            sample_rate_hz = chunk.sample_rate_hz
            yield chunk
        spoke = sample_rate_hz > 0 or not text.strip()
        require_contract(self.model, spoke, f"spoke nothing for {len(text)} characters")

    def _chunk(self, answer: Answer) -> AudioChunk:
        samples = answer.array("AUDIO", np.dtype(np.float32), (None,))
        rate_hz = answer.integer("SAMPLE_RATE_HZ")
        require_contract(self.model, samples.size > 0, "output AUDIO is empty")
        peak = float(np.abs(samples).max())
        require_contract(self.model, peak <= _FULL_SCALE, f"output AUDIO reaches {peak:g}, beyond full scale")
        known = _LOWEST_RATE_HZ <= rate_hz <= _HIGHEST_RATE_HZ
        require_contract(self.model, known, f"output SAMPLE_RATE_HZ is {rate_hz}")
        return AudioChunk(
            samples=samples,
            sample_rate_hz=rate_hz,
            remark=answer.optional_text("REMARK").strip(),
            restarts=answer.optional_switch("RESTARTS"),
        )
