"""Everything in one process but Triton: what `polylip dub` runs on a machine where nothing else does."""

import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.triton.embedded import EmbeddedTriton
from deploy.triton.profiles import profile_arguments
from orchestrator.background_choice import BackgroundChoice
from orchestrator.engines import Engines
from orchestrator.face_choice import FaceChoice
from orchestrator.media.probe import probe
from orchestrator.queues import topology
from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.session.artefacts import write_artefacts
from orchestrator.session.replies import ReplyRouter
from orchestrator.session.report import Report
from orchestrator.session.request import DubRequest, SessionListener
from orchestrator.session.session import DubSession
from orchestrator.settings import Settings
from orchestrator.store.artefacts import Artefact
from orchestrator.subtitles.transcript import read_transcript
from orchestrator.telemetry.spans import span, tracing
from orchestrator.workers.run import STAGES, run_worker


class LocalPipeline:
    """Stage workers as threads on an in-process broker; Triton is whatever the settings point at."""

    def __init__(self, settings: Settings, engines: Engines, replies: ReplyRouter, broker: MemoryBroker) -> None:
        """Use `local_pipeline` instead, which also starts and stops what this needs."""
        self._settings = settings
        self._engines = engines
        self._replies = replies
        self._broker = broker

    def dub(
        self,
        clip: Path,
        out: Path,
        source: str,
        target: str,
        listener: SessionListener,
        face: str = "",
        transcript: bytes | None = None,
        background: str = "",
        glossary: dict[str, str] | None = None,
    ) -> Report:
        """Dub one clip into the folder `out`, which is made; on an error nothing new is left there.

        Both languages are ISO 639-1; `source` "" is detected, or the settings' where the engine cannot.
        `transcript`: SubRip of what is spoken; then nothing is recognised. `background`: what becomes of the source's
        sound (background_choice.py); "": what the settings say. `glossary`: term -> its translation (glossary.py).
        `face`: whose lips move (face_choice.py); "": the one who speaks.

        Raises:
            LanguagePairUnsupported: names the pairs there are.
            BadRequest: `face` cannot be read, or means nothing in this clip; or `background` cannot be read.
            ClipRefused: the clip cannot be dubbed as it is.
            TranscriptRefused: names the line.
            PolylipError: any stage's failure.
        """
        choice, kept = FaceChoice.parse(face), BackgroundChoice.parse(background)
        offer = self._engines.offer(heard=transcript is None)
        source = offer.source(source, self._settings.source_language)
        offer.check(source, target)
        info = probe(clip, self._settings.media)
        if choice is not None:
            choice.check(info)
        sentences = None
        if transcript is not None:
            sentences = read_transcript(transcript, round(info.duration_s * 1000), self._settings.vad.max_segment_ms)
        request = DubRequest(
            uuid.uuid4(), source, target, face=choice, transcript=sentences, background=kept, glossary=glossary or {}
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        with span("session") as begun, tempfile.TemporaryDirectory(prefix=".polylip-", dir=out.parent) as scratch:
            session = DubSession(
                request,
                clip,
                info,
                engines=self._engines,
                broker=self._broker,
                replies=self._replies,
                settings=self._settings,
                listener=listener,
                traceparent=begun.traceparent,
            )
            spoken = session.run(Path(scratch) / Artefact.RESULT)
            report = write_artefacts(session, Path(scratch), spoken=spoken)
            out.mkdir(exist_ok=True)
            for artefact in Path(scratch).iterdir():
                shutil.move(artefact, out / artefact.name)
        return report


@contextmanager
def local_pipeline(settings: Settings) -> Iterator[LocalPipeline]:
    """Start the embedded Triton, the stage workers and a reply router; stop them all on leaving."""
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(tracing(settings.telemetry, "dub"))
        run_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="polylip-"))
        profile = profile_arguments(settings.triton.profile)
        triton = stack.enter_context(
            EmbeddedTriton(settings.engines.names(), run_dir=Path(run_dir), extra_args=profile)
        )
        settings = settings.model_copy(
            update={"triton": settings.triton.model_copy(update={"grpc_url": triton.grpc_url})}
        )
        engines = Engines(settings)
        stack.callback(engines.close)
        broker = MemoryBroker(settings.broker)
        stack.callback(broker.close)
        for queue in topology.WORK_QUEUES:
            broker.declare(QueueSpec(queue))
        workers = [
            threading.Thread(target=run_worker, args=(stage, broker, engines, settings, stop), daemon=True)
            for stage in STAGES
        ]
        for worker in workers:
            worker.start()
            stack.callback(worker.join)
        stack.callback(stop.set)
        replies = ReplyRouter(broker, f"local-{uuid.uuid4().hex[:8]}")
        stack.callback(replies.close)
        yield LocalPipeline(settings, engines, replies, broker)
