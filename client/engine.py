"""What all typed engines share: the connection, the model's name, the deadline, and the model's own configuration."""

from functools import cached_property

from client.connection import TritonConnection
from client.model_config import ModelConfig


class Engine:
    """One Triton model. Its configuration is read once, with the first call that needs it."""

    def __init__(self, connection: TritonConnection, model: str, timeout_s: float) -> None:
        """`timeout_s` is the deadline of one call (of one batch, of one whole stream)."""
        self._connection = connection
        self.model = model
        """The Triton model's name."""
        self._timeout_s = timeout_s

    @cached_property
    def config(self) -> ModelConfig:
        """What the model states about itself; a failed read is tried again by the next call."""
        return self._connection.config(self.model)

    @property
    def batched(self) -> bool:
        """Requests carry a batch axis."""
        return self.config.max_batch_size > 0
