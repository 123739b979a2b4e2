"""mt_apertium: translation by rules. Tensors: ../config.pbtxt; the work: apertium_translator.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import triton_python_backend_utils as pb_utils
from apertium_translator import Translator
from engine_kit.tensors import answer_each, read_parameters, read_text, tensor


class TritonPythonModel:
    """Translates one text per request."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Read the config and the installed mode files."""
        parameters = read_parameters(args)
        self._translator = Translator(
            parameters["language_pairs"].split(),
            Path(parameters["modes_folder"]),
            int(parameters["max_text_chars"]),
            float(parameters["answer_within_s"]),
        )

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Answer every request by itself: a refused one leaves its neighbours alone."""
        return answer_each(requests, self._respond)

    def finalize(self) -> None:
        """End Apertium's programs."""
        self._translator.stop()

    def _respond(self, request: pb_utils.InferenceRequest) -> list[pb_utils.Tensor]:
        text, source, target = (read_text(request, name) for name in ("TEXT", "SOURCE_LANGUAGE", "TARGET_LANGUAGE"))
        return [tensor("TEXT", self._translator.translate(text, source, target))]
