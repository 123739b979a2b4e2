"""Deployment's branch of the error tree (root: client/errors.py)."""

from client.errors import PolylipError


class DeployError(PolylipError):
    """A process of the stack could not be started or stopped."""

    code = "deploy-error"


class SetupMissing(DeployError):
    """Something that the set-up installs is not there."""

    code = "setup-missing"

    def __init__(self, what: str) -> None:
        """Name the missing thing and the command that installs it."""
        super().__init__(f"{what} is missing: run `make setup` in the checkout")
        self.what = what


class TritonStartFailed(DeployError):
    """The embedded Triton server did not start, or a model that it was told to load did not load."""

    code = "triton-start-failed"


class RabbitStartFailed(DeployError):
    """The project's own RabbitMQ node did not start."""

    code = "rabbitmq-start-failed"


class StackFailed(DeployError):
    """A process of the local stack ended early or did not become ready."""

    code = "stack-failed"
