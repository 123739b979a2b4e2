"""What can go wrong while a checkpoint is fetched. In each case nothing is left that could be taken for the file."""

from client.errors import PolylipError


class PullError(PolylipError):
    """A published checkpoint could not be brought here."""

    code = "pull-failed"


class LicenceNotAccepted(PullError):
    """The licence forbids some uses, or nobody states one, and it was not accepted."""

    code = "licence-not-accepted"


class SourceRefused(PullError):
    """The address, a redirect or a file's name is one that is not followed; or a pickle where safe files exist."""

    code = "source-refused"


class SourceMissing(PullError):
    """There is no such repository, revision or file."""

    code = "source-missing"


class AccessDenied(PullError):
    """The source wants to know who asks, or does not let this account in."""

    code = "source-access-denied"


class SourceUnreachable(PullError):
    """No connection, no answer in time, or a fault on the other side."""

    retryable = True
    code = "source-unreachable"


class SourceBroken(PullError):
    """The source answers, but not in the protocol."""

    code = "source-broken"


class RateLimited(PullError):
    """The source asks to come back later."""

    retryable = True
    code = "source-rate-limited"

    def __init__(self, host: str, retry_after_s: float | None) -> None:
        """`retry_after_s`: as the source says; None: it does not."""
        when = f"in {retry_after_s:.0f} s" if retry_after_s is not None else "later"
        super().__init__(f"{host} asks to come back {when}: too many requests (a token in HF_TOKEN raises the limit)")
        self.retry_after_s = retry_after_s


class DownloadCutOff(PullError):
    """The file's end did not come. What came is kept: the next pull goes on there."""

    retryable = True
    code = "download-cut-off"


class HashMismatch(PullError):
    """What came is not the file that was published. It is deleted."""

    code = "download-hash-mismatch"


class SourceChanged(PullError):
    """The source offers another file than at the pull before."""

    code = "source-changed"


class NotStored(PullError):
    """The disk is full, or the folder cannot be written."""

    code = "download-not-stored"


class PullBusy(PullError):
    """Another pull of the same checkpoint is at work."""

    retryable = True
    code = "pull-busy"
