"""The server's own tokeniser, so that training and serving cannot differ."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

TOKENISER_PATH = (
    Path(__file__).parents[2] / "model_repository" / "sentence_boundary_tokens" / "1" / "boundary_tokens.py"
)


class Tokeniser(Protocol):
    """What boundary_tokens.py offers."""

    TOKENS: int
    WORD_BUCKETS: int
    ENDING_BUCKETS: int
    SHAPES: int
    FEATURES: int
    ENDING_MARK: int
    INNER_MARK: int
    ELLIPSIS: int
    DIGITS: int

    def tokens_of(self, text: str) -> list[str]:
        """Split a text."""
        ...

    def features_of(self, text: str) -> NDArray[np.int32]:
        """Return int32 [TOKENS, FEATURES]."""
        ...

    def token_features(self, token: str) -> tuple[int, int, int, int]:
        """Return the numbers of one token."""
        ...


def _load() -> Tokeniser:
    spec = spec_from_file_location("boundary_tokens", TOKENISER_PATH)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Tokeniser, module)


TOKENISER = _load()
