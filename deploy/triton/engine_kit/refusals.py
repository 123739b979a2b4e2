"""The one error by which an engine refuses a request, and checks that raise it. Needs no Triton."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class InvalidRequest(ValueError):
    """The request's tensors cannot be served and never will be; the message says why, to the caller.

    It begins with the name of the input at fault: a decoupled model's errors reach the client without a status, which
    tells a refusal from a fault by that.
    """


def require_finite(array: NDArray[np.floating], name: str) -> None:
    """Refuse NaN and infinities: one of them spreads through every later sum."""
    if not np.isfinite(array).all():
        raise InvalidRequest(f"{name} holds NaN or infinite values")


def require_one_of(value: str, name: str, served: Sequence[str]) -> None:
    """Refuse a language, or a pair of them, that the engine does not have, naming those there are."""
    if value not in served:
        raise InvalidRequest(f"{name} {value!r} is not served; there are: {' '.join(served)}")
