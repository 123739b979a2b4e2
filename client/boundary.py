"""Sentence boundaries through Triton."""

from collections.abc import Sequence

from client.engine import Engine
from client.errors import EngineRefused
from client.tensors import Answer, text_array, unary_inputs


class TritonBoundary(Engine):
    """Fills the Protocol `BoundaryEngine`."""

    def complete(self, text: str, language: str, *, traceparent: str = "") -> float:
        """Return how sure the engine is that `text`, heard so far, ends with the end of a sentence: 0..1.

        Raises:
            EngineRefused: `language` is none of `languages()`; nothing was sent.
            EngineError: see client/errors.py.
        """
        served = self.languages()
        if language not in served:
            raise EngineRefused(self.model, f"language {language!r} is not served; there are: {' '.join(served)}")
        batched = self.batched
        inputs = {"TEXT": text_array(text, batched=batched)}
        result = self._connection.infer(
            self.model, unary_inputs(inputs), timeout_s=self._timeout_s, traceparent=traceparent
        )
        return Answer(self.model, result, batched=batched).number("COMPLETE", 0.0, 1.0)

    def languages(self) -> Sequence[str]:
        """Return the languages that the engine states in its config (parameter `languages`)."""
        return self.config.languages()
