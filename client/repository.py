"""Administration of Triton's model repository."""

from collections.abc import Sequence

from client.connection import TritonConnection
from client.contracts import EngineStatus


class ModelRepository:
    """Lists, loads and unloads models; errors are those of client/errors.py."""

    def __init__(self, connection: TritonConnection, *, load_timeout_s: float = 300.0) -> None:
        """`load_timeout_s`: reading weights and warming up takes minutes for the largest models."""
        self._connection = connection
        self._load_timeout_s = load_timeout_s

    def statuses(self) -> Sequence[EngineStatus]:
        """List every model version that Triton knows, loaded or not."""
        return self._connection.statuses()

    def load(self, model: str) -> None:
        """Load the model, or take over what changed in its folder; while it loads, the old version serves.

        Raises:
            EngineRefused: it does not load; the detail is the model's own error. What served before still serves.
            EngineUnavailable, EngineTimeout: Triton did not answer.
        """
        self._connection.load(model, timeout_s=self._load_timeout_s)

    def unload(self, model: str) -> None:
        """Unload the model; returns at once, requests in flight finish."""
        self._connection.unload(model, timeout_s=self._load_timeout_s)
