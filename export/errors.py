"""Export's branch of the error tree (root: client/errors.py). None is retryable: the same input fails again."""

from collections.abc import Sequence

from client.errors import PolylipError


class ExportError(PolylipError):
    """A checkpoint could not be made a version of a model; the repository is as it was."""

    code = "export-failed"


class ExtraMissing(ExportError):
    """The packages that only export needs are not installed."""

    code = "export-extra-missing"

    def __init__(self, package: str) -> None:
        """Name the package that is missing and the command that installs it."""
        super().__init__(f"the Python package {package} is missing: run `make setup-export` in the checkout")
        self.package = package


class UnknownName(ExportError):
    """There is no model family, or no precision, of that name."""

    code = "export-unknown-name"

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        """Name those there are."""
        super().__init__(f"no {kind} is called {name!r}; there are {', '.join(known)}")
        self.known = tuple(known)


class CheckpointRefused(ExportError):
    """The checkpoint file cannot be read, or does not hold plain tensors by name."""

    code = "checkpoint-refused"


class KeysMismatch(CheckpointRefused):
    """The tensors of the checkpoint are not those of the family: missing, too many, or of other shapes."""

    code = "checkpoint-keys-mismatch"


class NotFinite(ExportError):
    """Weights or outputs hold NaN or infinity."""

    code = "not-finite"


class SignatureMismatch(ExportError):
    """The tensors of a graph are not those that its family, or the model's config.pbtxt, promises."""

    code = "signature-mismatch"


class PrecisionUnavailable(ExportError):
    """This machine, or this installation, cannot make or check this precision."""

    code = "precision-unavailable"


class ParityMissed(ExportError):
    """The exported version does not compute what the original computes, within the limits."""

    code = "parity-missed"


class VersionExists(ExportError):
    """The repository has this version of the model already; a version is never overwritten."""

    code = "version-exists"


class NotInstalled(ExportError):
    """The version could not be written into the repository: a full disk, no permission, no such folder."""

    code = "version-not-installed"
