"""The orchestrator's branches of the error tree (root: client/errors.py)."""

from collections.abc import Sequence

from client.contracts import LanguagePair
from client.errors import PolylipError


class ClipRefused(PolylipError):
    """The clip cannot be dubbed as it is; nothing of it was kept. Root of all media refusals."""

    code = "clip-refused"


class NotAVideo(ClipRefused):
    """The bytes are no container of an allowed format, or the container is damaged beyond reading."""

    code = "not-a-video"


class EmptyClip(ClipRefused):
    """The upload holds no bytes, or no decodable frame."""

    code = "empty-clip"


class TruncatedClip(ClipRefused):
    """The container promises more than the file holds."""

    code = "truncated-clip"


class NoAudioTrack(ClipRefused):
    """There is nothing to dub."""

    code = "no-audio-track"


class NoVideoTrack(ClipRefused):
    """There is no picture to move lips in."""

    code = "no-video-track"


class ClipTooLarge(ClipRefused):
    """Over the limit of bytes, seconds, pixels, frames per second or streams; found before decoding."""

    code = "clip-too-large"


class ProbeFailed(ClipRefused):
    """The probing child process ran into its time or memory limit: a hostile or broken file."""

    code = "probe-failed"


class TranscriptRefused(PolylipError):
    """The transcript is no SubRip that can be dubbed; nothing was kept."""

    code = "transcript-refused"

    def __init__(self, line: int, reason: str) -> None:
        """Name the line, from 1 on, so that it can be mended."""
        super().__init__(f"line {line}: {reason}")
        self.line = line


class TranscriptTooLarge(TranscriptRefused):
    """The transcript has more bytes than any subtitles have."""

    code = "transcript-too-large"


class ResultNotWritten(PolylipError):
    """The encoder or the disk failed while the result was written; no half file is left."""

    retryable = True
    code = "result-not-written"


class LanguagePairUnsupported(PolylipError):
    """No engine translates this direction (or speaks its target)."""

    code = "language-pair-unsupported"

    def __init__(self, source: str, target: str, pairs: Sequence[LanguagePair]) -> None:
        """Name the pairs there are, so that the caller can choose one."""
        there_are = ", ".join(str(pair) for pair in pairs) or "none"
        super().__init__(f"cannot dub {source or '?'}-{target}; the loaded engines offer: {there_are}")
        self.pairs = tuple(pairs)


class BrokerError(PolylipError):
    """Something went wrong between us and the message broker."""

    code = "broker-error"


class BrokerUnavailable(BrokerError):
    """The broker cannot be reached, or did not confirm in time."""

    retryable = True
    code = "broker-unavailable"


class QueueFull(BrokerError):
    """The broker refused the message because the queue is at its limit: back-pressure, never loss."""

    retryable = True
    code = "queue-full"


class Unroutable(BrokerError):
    """No such queue: the owner that asked for the answer is gone."""

    code = "unroutable"


class MalformedMessage(BrokerError):
    """The body is not a record of a version that we read."""

    code = "malformed-message"


class StageFailed(PolylipError):
    """A stage gave a segment up after its last try."""

    code = "stage-failed"

    def __init__(self, stage: str, reason: str) -> None:
        """Keep the stage apart, for the report."""
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason


class FaceNotFound(PolylipError):
    """The face that the request chose is never seen; the text names those that are."""

    code = "face-not-found"


class SessionCancelled(PolylipError):
    """The dub was cancelled while it ran."""

    code = "cancelled"


class SessionStalled(PolylipError):
    """No stage answered for longer than the session's deadline."""

    retryable = True
    code = "stalled"


class DubNotFound(PolylipError):
    """There is no dub of this id (or it was erased)."""

    code = "not-found"


class ArtefactNotReady(PolylipError):
    """The dub exists but has not produced this artefact (yet)."""

    retryable = True
    code = "not-ready"


class IdempotencyConflict(PolylipError):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency-conflict"


class BadRequest(PolylipError):
    """A field of the request is missing or wrong."""

    code = "bad-request"


class CorrectionRefused(PolylipError):
    """A correction of a sentence has a field that is unknown, empty, too long or of the wrong kind."""

    code = "correction-refused"


class CorrectionOutdated(PolylipError):
    """The sentence was corrected by somebody else since the caller looked (If-Match)."""

    code = "correction-outdated"


class SegmentNotFound(PolylipError):
    """The dub has no sentence of this number."""

    code = "segment-not-found"


class DubNotFinished(PolylipError):
    """Only a dub that has succeeded can be corrected and rendered again."""

    code = "dub-not-finished"


class RenderInProgress(PolylipError):
    """Another render of the dub, with other corrections, is not done yet."""

    code = "render-in-progress"


class SentencesChanged(PolylipError):
    """What was corrected is no sentence any more: the engines or their settings divide the speech otherwise now."""

    code = "sentences-changed"


class GlossaryRefused(PolylipError):
    """The glossary is no object of terms and their translations, or is too large."""

    code = "glossary-refused"


class StoreUnavailable(PolylipError):
    """The job store or the media store cannot be reached, is locked for too long, or has no room left."""

    retryable = True
    code = "store-unavailable"


class IllegalTransition(PolylipError):
    """A dub cannot go from its state to the one asked for: a final state is never left."""

    code = "illegal-transition"


class TooManyDubs(PolylipError):
    """As many dubs are queued or running as the gateway takes."""

    retryable = True
    code = "too-many-dubs"


class WebhookRefused(PolylipError):
    """The webhook's address may not be called, or webhooks cannot be signed because no secret is set."""

    code = "webhook-refused"


class RangeNotSatisfiable(PolylipError):
    """The bytes asked for lie beyond the artefact's end."""

    code = "range-not-satisfiable"


class TraceNotFound(PolylipError):
    """Nothing was recorded that could be shown."""

    code = "trace-not-found"


class MetricsPortTaken(PolylipError):
    """The metrics endpoint could not be opened."""

    code = "metrics-port-taken"


class ModelNotFound(PolylipError):
    """The model repository has no model of this name."""

    code = "model-not-found"


class VersionNotFound(PolylipError):
    """The model has no version of this number; the text names those there are."""

    code = "version-not-found"


class SwapRefused(PolylipError):
    """The version did not load, or did not answer as it did when it was made. What served before still serves."""

    code = "swap-refused"

    def __init__(self, model: str, version: int, served: int | None, reason: str) -> None:
        """Say why, and what serves."""
        still = f"version {served} still serves" if served is not None else "nothing is served"
        super().__init__(f"{model} stays as it was ({still}); version {version}: {reason}")
        self.served = served
        self.reason = reason


class SwapInProgress(PolylipError):
    """Another process changes what is served from this repository right now."""

    retryable = True
    code = "swap-in-progress"


class NoEarlierVersion(PolylipError):
    """Nothing was served before, or it is no longer in the repository."""

    code = "no-earlier-version"


class RepositoryUnusable(PolylipError):
    """The model repository is not where the settings say, or cannot be written."""

    code = "repository-unusable"
