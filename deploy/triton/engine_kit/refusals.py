"""The one error by which an engine refuses a request, and checks that raise it. Needs no Triton."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class InvalidRequest(ValueError):
    """The request's tensors cannot be served and never will be; the message says why, to the caller."""


def require_finite(array: NDArray[np.floating], name: str) -> None:
    """Refuse NaN and infinities: one of them spreads through every later sum."""
    if not np.isfinite(array).all():
        raise InvalidRequest(f"{name} holds NaN or infinite values")


def require_language(language: str, name: str, languages: Sequence[str]) -> None:
    """Refuse a language that the engine does not have, naming those there are."""
    if language not in languages:
        raise InvalidRequest(f"{name} {language!r} is not served; there are: {' '.join(languages)}")
