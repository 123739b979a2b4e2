"""The session owner: takes jobs, dubs them one session each, keeps the store informed, settles the job at the end."""

import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from client.errors import PolylipError
from orchestrator.background_choice import BackgroundChoice
from orchestrator.corrections import Correction
from orchestrator.engines import Engines
from orchestrator.errors import MalformedMessage, SessionCancelled, SessionStalled
from orchestrator.face_choice import FaceChoice
from orchestrator.media.clip import ClipInfo
from orchestrator.messages import DubJob, decode_as
from orchestrator.queues import topology
from orchestrator.queues.broker import Broker, Delivery, QueueSpec
from orchestrator.session.artefacts import write_artefacts
from orchestrator.session.ledger import DubLedger, Ledger, RenderLedger
from orchestrator.session.pinning import held, pinned_engines
from orchestrator.session.replies import ReplyRouter
from orchestrator.session.report import Report
from orchestrator.session.request import DubRequest
from orchestrator.session.session import DubSession
from orchestrator.settings import Settings
from orchestrator.speakers import Scene
from orchestrator.store.artefacts import FIRST_REVISION, Artefact, in_revision
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from orchestrator.store.schema import Dub, Render
from orchestrator.store.stage_cache import MediaCache
from orchestrator.subtitles.cues import Line
from orchestrator.subtitles.transcript import read_transcript
from orchestrator.telemetry.deliveries import working_on
from orchestrator.telemetry.metrics import (
    AV_OFFSET_SECONDS,
    DEADLINE_MISSED,
    DUB_LAST_SUCCESS,
    DUB_RTF,
    DUB_SECONDS,
    DUBS_FINISHED,
    DUBS_IN_PROGRESS,
    prime_owner,
)
from orchestrator.telemetry.spans import Span, span
from orchestrator.visual.overruling import Overrule

log = structlog.get_logger()

PROGRESS_INTERVAL_S = 0.5
"""A stage's progress is written at most this often, and cancellation looked for: each write is one to disk."""


class StoreListener:
    """A session's listener that writes to the job store."""

    def __init__(self, ledger: Ledger, stopping: threading.Event) -> None:
        """`stopping`: the owner is shutting down, so the session must stop as well."""
        self._ledger = ledger
        self._stopping = stopping
        self._lock = threading.Lock()
        self._written: dict[str, tuple[float, float]] = {}
        self._looked_at_s = 0.0
        self._cancelled = False

    def on_progress(self, stage: str, fraction: float) -> None:
        """Write the stage's progress, unless it was just written or has not moved."""
        with self._lock:
            at_s, before = self._written.get(stage, (0.0, 0.0))
            due = time.monotonic() - at_s >= PROGRESS_INTERVAL_S or fraction >= 1.0
            if fraction <= before or not due:
                return
            self._written[stage] = (time.monotonic(), fraction)
        self._ledger.progress(stage, fraction)

    def cancelled(self) -> bool:
        """Look, now and then, whether the dub is still wanted."""
        if self._stopping.is_set():
            return True
        with self._lock:
            if time.monotonic() - self._looked_at_s < PROGRESS_INTERVAL_S:
                return self._cancelled
            self._looked_at_s = time.monotonic()
        self._cancelled = self._ledger.is_cancelled()
        return self._cancelled


@dataclass(frozen=True, slots=True)
class _Work:
    """One claimed job."""

    job: DubJob
    dub: Dub
    ledger: Ledger
    render: Render | None = None

    @property
    def revision(self) -> int:
        """Of the artefacts that are made."""
        return self.render.revision if self.render is not None else FIRST_REVISION


class Owner:
    """Consumes `jobs`. A job stays with the broker until its dub is final, so a dead owner's clips are dubbed anew."""

    def __init__(self, settings: Settings, broker: Broker, engines: Engines, dubs: DubStore, media: MediaStore) -> None:
        """Wire the owner; nothing is consumed before `start`."""
        self._settings = settings
        self._broker = broker
        self._engines = engines
        self._dubs = dubs
        self._media = media
        self._name = uuid.uuid4().hex[:12]
        self._stopping = threading.Event()
        self._replies = ReplyRouter(broker, self._name)
        settings.session.work_dir.mkdir(parents=True, exist_ok=True)
        prime_owner()

    def start(self) -> None:
        """Declare the queues and begin to take jobs."""
        for queue in topology.WORK_QUEUES:
            self._broker.declare(QueueSpec(queue))
        concurrency = self._settings.session.concurrency
        self._jobs = self._broker.consume(
            topology.JOBS, self._handle, concurrency=concurrency, prefetch=concurrency, on_poison=self._give_up
        )

    def stop(self) -> None:
        """Stop the running sessions and give their jobs back for another owner."""
        self._stopping.set()
        self._jobs.close()
        self._replies.close()

    def _handle(self, delivery: Delivery) -> None:
        try:
            job = decode_as(DubJob, delivery.body)
        except MalformedMessage as error:
            delivery.dead_letter(str(error))
            return
        with (
            structlog.contextvars.bound_contextvars(session=str(job.dub_id)),
            working_on(delivery, "dub", {"polylip.session": str(job.dub_id)}) as begun,
        ):
            work = self._claim(job, delivery.attempt)
            if work is None:
                delivery.ack()
                return
            with DUBS_IN_PROGRESS.track_inprogress():
                self._dub_and_settle(delivery, work, begun)

    def _claim(self, job: DubJob, attempt: int) -> _Work | None:
        # named by the try: a duplicate of this very delivery is none of our business, another try of it is
        name = f"{self._name}-{attempt}"
        if not job.render:
            dub = self._dubs.claim_running(job.dub_id, name)
            return _Work(job, dub, DubLedger(self._dubs, self._media, job.dub_id)) if dub is not None else None
        claimed = self._dubs.renders.claim(job.render, name)
        if claimed is None:
            return None
        dub, render = claimed
        return _Work(job, dub, RenderLedger(self._dubs, self._media, render, dub.revision), render)

    def _give_up(self, delivery: Delivery, reason: str) -> None:
        """The job was tried as often as is allowed and its owners died each time: tell whoever waits for it."""
        job = decode_as(DubJob, delivery.body)
        work = self._claim(job, 0)
        if work is not None:
            self._fail(work, PolylipError.code, f"given up after {delivery.attempt} tries: {reason}")

    def _dub_and_settle(self, delivery: Delivery, work: _Work, begun: Span) -> None:
        try:
            with span("session", begun.traceparent, attributes={"polylip.session": str(work.job.dub_id)}) as session:
                report = self._dub(work, session.traceparent)
            work.ledger.succeed({"outcome": report.outcome, "wall_s": report.wall_s, "rtf": report.rtf})
            _observe(report)
            log.info("dubbed", wall_s=report.wall_s, rtf=report.rtf, revision=report.revision)
        except SessionCancelled:
            self._settle_cancelled(delivery, work)
            return
        except PolylipError as error:
            begun.fail(f"{error.code}: {error}")
            log.warning("dub failed", code=error.code, reason=str(error))
            if isinstance(error, SessionStalled):
                DEADLINE_MISSED.labels("stalled").inc()
            if error.retryable and delivery.retry_later(f"{error.code}: {error}"):
                return
            self._fail(work, error.code, str(error))
            if error.retryable:
                return  # retry_later has parked the job with its reason
        except Exception as error:
            begun.fail(f"{type(error).__name__}: {error}")
            log.exception("dub failed by a fault of ours")
            self._fail(work, PolylipError.code, f"{type(error).__name__} while dubbing")
            delivery.dead_letter(f"{type(error).__name__}: {error}")
            return
        delivery.ack()

    def _settle_cancelled(self, delivery: Delivery, work: _Work) -> None:
        if self._stopping.is_set() and not work.ledger.is_cancelled():
            delivery.retry_later("the owner was stopped")
            return
        work.ledger.abandon()
        DUBS_FINISHED.labels(SessionCancelled.code).inc()
        delivery.ack()

    def _fail(self, work: _Work, code: str, detail: str) -> None:
        DUBS_FINISHED.labels(code).inc()
        try:
            work.ledger.fail(code, detail)
        except SessionCancelled:
            work.ledger.abandon()

    def _request(self, work: _Work, clip: ClipInfo, engines: dict[str, str]) -> DubRequest:
        job, render = work.job, work.render
        stored = render.corrections if render is not None else {}
        corrections = {segment: msgspec.convert(values, Correction) for segment, values in stored.items()}
        return DubRequest(
            job.dub_id,
            job.source_language,
            job.target_language,
            engines,
            face=FaceChoice.parse(job.face),
            background=BackgroundChoice.parse(job.background),
            transcript=self._transcript(job.dub_id, clip),
            glossary=job.glossary,
            corrections=corrections,
            overrules=self._overrules(work, corrections),
            revision=work.revision,
        )

    def _chosen_engines(self, job: DubJob) -> AbstractContextManager[dict[str, str]]:
        """Return what the request names, or (`models.pin`) every engine with the version that serves now."""
        if not self._settings.models.pin:
            return held(job.dub_id, job.engines, self._dubs.pins)
        return pinned_engines(job.dub_id, job.engines, self._settings.engines, self._engines, self._dubs.pins)

    def _overrules(self, work: _Work, corrections: Mapping[str, Correction]) -> tuple[Overrule, ...]:
        """Return the stretches whose speaker was corrected, by what the revision says that is shown."""
        if all(correction.speaker is None for correction in corrections.values()):
            return ()
        return Scene.read(self._media, work.job.dub_id, work.dub.revision).overrules(corrections)

    def _transcript(self, dub_id: uuid.UUID, clip: ClipInfo) -> tuple[Line, ...] | None:
        """Read the transcript that came with the clip; None when none did."""
        if not self._media.exists(dub_id, Artefact.TRANSCRIPT):
            return None
        with self._media.open(dub_id, Artefact.TRANSCRIPT) as source:
            return read_transcript(source.read(), round(clip.duration_s * 1000), self._settings.vad.max_segment_ms)

    def _dub(self, work: _Work, traceparent: str) -> Report:
        dub_id, settings = work.job.dub_id, self._settings
        with (
            self._chosen_engines(work.job) as engines,
            tempfile.TemporaryDirectory(dir=settings.session.work_dir, prefix="dub-") as scratch,
        ):
            clip_path, out = Path(scratch) / "clip", Path(scratch) / "out"
            out.mkdir()
            self._media.fetch(dub_id, Artefact.CLIP, clip_path)
            clip = ClipInfo.from_facts(work.dub.clip)
            session = DubSession(
                self._request(work, clip, engines),
                clip_path,
                clip,
                engines=self._engines,
                broker=self._broker,
                replies=self._replies,
                settings=self._settings,
                listener=StoreListener(work.ledger, self._stopping),
                cache=MediaCache(self._media, dub_id, settings.session.cache_max_bytes),
                traceparent=traceparent,
            )
            spoken = session.run(out / Artefact.RESULT)
            report = write_artefacts(session, out, spoken=spoken)
            for artefact in sorted(out.iterdir()):
                self._media.put_file(dub_id, in_revision(artefact.name, work.revision), artefact)
            return report


def _observe(report: Report) -> None:
    DUBS_FINISHED.labels(report.outcome).inc()
    DUB_SECONDS.observe(report.wall_s)
    DUB_RTF.observe(report.rtf)
    DUB_LAST_SUCCESS.set_to_current_time()
    AV_OFFSET_SECONDS.observe(report.start_error_ms_max / 1000)
    DEADLINE_MISSED.labels("window").inc(report.sentences_outside_window)
