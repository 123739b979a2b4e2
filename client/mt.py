"""Machine translation through Triton."""

from collections.abc import Sequence

from client.contracts import LanguagePair
from client.engine import Engine
from client.tensors import Answer, require_contract, text_array, unary_inputs


class TritonMt(Engine):
    """Fills the Protocol `MtEngine`."""

    def translate(self, text: str, source: str, target: str, *, traceparent: str = "") -> str:
        """Translate `text`; both languages ISO 639-1.

        Raises:
            EngineError: see client/errors.py.
        """
        batched = self.batched
        texts = {"TEXT": text, "SOURCE_LANGUAGE": source, "TARGET_LANGUAGE": target}
        inputs = {name: text_array(value, batched=batched) for name, value in texts.items()}
        result = self._connection.infer(
            self.model, unary_inputs(inputs), timeout_s=self._timeout_s, traceparent=traceparent
        )
        translation = Answer(self.model, result, batched=batched).text("TEXT").strip()
        said = bool(translation) or not text.strip()
        require_contract(self.model, said, f"translated {len(text)} characters to nothing")
        return translation

    def language_pairs(self) -> Sequence[LanguagePair]:
        """Return the directions that the engine offers now: of one that routes, they change with what is loaded."""
        return self._connection.config_with_languages(self.model).language_pairs()
