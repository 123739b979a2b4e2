"""How an evaluation fails."""

from client.errors import PolylipError


class EvaluationFailed(PolylipError):
    """Root of this package's errors."""

    code = "evaluation-failed"


class EvaluationExtraMissing(EvaluationFailed):
    """The packages that only evaluations need are not installed."""

    code = "evaluation-extra-missing"

    def __init__(self, package: str) -> None:
        """Name the package that is missing and the command that installs it."""
        install = '.venv/bin/pip install -c constraints.txt -e ".[eval]"'
        super().__init__(f"the Python package {package} is missing: run {install} in the checkout")
        self.package = package


class VoiceMissing(EvaluationFailed):
    """There is no flite to speak with."""

    code = "voice-missing"


class CometFailed(EvaluationFailed):
    """COMET was asked for and cannot be had."""

    code = "comet-failed"
