"""A whole pipeline without servers: fake engines, the in-process broker, real stage workers, real sessions."""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.background_choice import BackgroundChoice
from orchestrator.face_choice import FaceChoice
from orchestrator.media.probe import probe
from orchestrator.queues.memory import MemoryBroker
from orchestrator.session.replies import ReplyRouter
from orchestrator.session.request import DubRequest
from orchestrator.session.session import DubSession
from orchestrator.settings import Settings
from orchestrator.store.stage_cache import StageCache
from orchestrator.subtitles.cues import Line
from orchestrator.workers.run import STAGES, start_worker
from tests.fakes.engines import FakeBoundary, FakeFaces, FakeLips, FakeMt, FakeStt, FakeTts


@dataclass
class FakeEngines:
    """All tasks; no boundary engine unless one is given. The model's name is ignored but remembered."""

    stt_engine: FakeStt = field(default_factory=FakeStt)
    mt_engine: FakeMt = field(default_factory=FakeMt)
    tts_engine: FakeTts = field(default_factory=FakeTts)
    faces_engine: FakeFaces = field(default_factory=FakeFaces)
    lips_engine: FakeLips = field(default_factory=FakeLips)
    boundary_engine: FakeBoundary | None = None
    versions: dict[str, str] = field(
        default_factory=lambda: {"stt_pocketsphinx": "1", "mt_apertium": "1", "tts_espeak": "1"}
    )
    """That are served of each model."""
    sources: tuple[str, ...] = ("en", "fr")
    """Languages in which a clip may be spoken."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def stt(self, model: str = "") -> FakeStt:
        self.asked.append(("stt", model))
        return self.stt_engine

    def mt(self, model: str = "") -> FakeMt:
        self.asked.append(("mt", model))
        return self.mt_engine

    def tts(self, model: str = "") -> FakeTts:
        self.asked.append(("tts", model))
        return self.tts_engine

    def faces(self, model: str = "") -> FakeFaces:
        self.asked.append(("faces", model))
        return self.faces_engine

    def lips(self, model: str = "") -> FakeLips:
        self.asked.append(("lips", model))
        return self.lips_engine

    def served_versions(self) -> dict[str, str]:
        return self.versions

    def source_languages(self, target: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
        return self.sources

    def boundary(self, model: str = "") -> FakeBoundary | None:
        self.asked.append(("boundary", model))
        return self.boundary_engine


class RecordingListener:
    """Remembers the progress; cancels once `cancel_when(stage, fraction)` was true."""

    def __init__(self, cancel_when: Callable[[str, float], bool] | None = None) -> None:
        self.seen: dict[str, list[float]] = {}
        self._cancel_when = cancel_when or (lambda stage, fraction: False)
        self._cancelled = threading.Event()

    def on_progress(self, stage: str, fraction: float) -> None:
        self.seen.setdefault(stage, []).append(fraction)
        if self._cancel_when(stage, fraction):
            self._cancelled.set()

    def cancelled(self) -> bool:
        return self._cancelled.is_set()


@dataclass
class FakePipeline:
    settings: Settings
    engines: FakeEngines
    broker: MemoryBroker
    replies: ReplyRouter

    def session(
        self,
        clip: Path,
        listener: RecordingListener | None = None,
        source: str = "en",
        target: str = "es",
        engines: dict[str, str] | None = None,
        face: str = "",
        background: str = "",
        transcript: tuple[Line, ...] | None = None,
        cache: StageCache | None = None,
    ) -> DubSession:
        return DubSession(
            DubRequest(
                uuid.uuid4(),
                source,
                target,
                engines or {},
                FaceChoice.parse(face),
                transcript=transcript,
                background=BackgroundChoice.parse(background),
            ),
            clip,
            probe(clip, self.settings.media),
            engines=self.engines,
            broker=self.broker,
            replies=self.replies,
            settings=self.settings,
            listener=listener or RecordingListener(),
            cache=cache,
        )


@contextmanager
def fake_pipeline(
    settings: Settings | None = None, engines: FakeEngines | None = None, stages: tuple[str, ...] = STAGES
) -> Iterator[FakePipeline]:
    """Run the workers of `stages` until the block ends."""
    settings, engines = settings or Settings(), engines or FakeEngines()
    with ExitStack() as stack:
        broker = MemoryBroker(settings.broker)
        stack.callback(broker.close)
        for stage in STAGES:
            worker = start_worker(stage, broker, engines)
            if stage in stages:
                stack.callback(worker.close)
            else:
                worker.close()
        replies = ReplyRouter(broker, f"test-{uuid.uuid4().hex[:8]}")
        stack.callback(replies.close)
        yield FakePipeline(settings, engines, broker, replies)
