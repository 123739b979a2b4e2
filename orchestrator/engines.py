"""The engines of one process: made on first use, one for each model, over one Triton connection."""

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from client.contracts import BoundaryEngine, FacesEngine, LipsEngine, MtEngine, SttEngine, Task, TtsEngine
from client.triton import (
    TritonBoundary,
    TritonConnection,
    TritonFaces,
    TritonLips,
    TritonMt,
    TritonStt,
    TritonTts,
)
from orchestrator.languages import Offer, chosen_engines, offer_of
from orchestrator.settings import Settings
from orchestrator.telemetry.calls import WatchedCalls

E = TypeVar("E")


class Engines:
    """Thread-safe factory of typed engines; "" as a model's name means the one that the settings choose."""

    def __init__(self, settings: Settings) -> None:
        """Connect lazily: no call is made before an engine is used."""
        self._names = settings.engines
        self._triton = settings.triton
        self._connection = TritonConnection(
            settings.triton.grpc_url,
            control_timeout_s=settings.triton.control_timeout_s,
            observer=WatchedCalls(),
        )
        self._lock = threading.Lock()
        self._made: dict[tuple[Task, str], object] = {}

    def stt(self, model: str = "") -> SttEngine:
        """Speech to text."""
        name = model or self._names.stt
        return self._engine(Task.STT, name, lambda: TritonStt(self._connection, name, self._triton.stt_timeout_s))

    def mt(self, model: str = "") -> MtEngine:
        """Machine translation."""
        name = model or self._names.mt
        return self._engine(Task.MT, name, lambda: TritonMt(self._connection, name, self._triton.mt_timeout_s))

    def tts(self, model: str = "") -> TtsEngine:
        """Text to speech."""
        name = model or self._names.tts
        return self._engine(Task.TTS, name, lambda: TritonTts(self._connection, name, self._triton.tts_timeout_s))

    def faces(self, model: str = "") -> FacesEngine:
        """Face detection."""
        name = model or self._names.faces
        triton = self._triton
        return self._engine(
            Task.FACES,
            name,
            lambda: TritonFaces(self._connection, name, triton.faces_timeout_s, transport=triton.frames_transport),
        )

    def lips(self, model: str = "") -> LipsEngine:
        """Lip synchronisation."""
        name = model or self._names.lips
        triton = self._triton
        return self._engine(
            Task.LIPS,
            name,
            lambda: TritonLips(self._connection, name, triton.lips_timeout_s, transport=triton.frames_transport),
        )

    def boundary(self, model: str = "") -> BoundaryEngine | None:
        """Sentence boundaries; None when neither the caller nor the settings name an engine."""
        name = model or self._names.boundary
        if not name:
            return None
        timeout_s = self._triton.boundary_timeout_s
        return self._engine(Task.BOUNDARY, name, lambda: TritonBoundary(self._connection, name, timeout_s))

    def offer(self, wanted: Mapping[str, str] | None = None, *, heard: bool = True) -> Offer:
        """Return which languages the engines dub. Raises EngineError.

        `wanted`: task -> model, where it is another than the settings'; `heard`: False where a transcript is given.
        """
        names = chosen_engines(self._names, wanted or {})
        stt = self._connection.config_with_languages(names[Task.STT]) if heard else None
        mt = self._connection.config_with_languages(names[Task.MT])
        return offer_of(stt, mt, self._connection.config(names[Task.TTS]))

    def source_languages(self, target: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """Return the languages in which a clip to be dubbed into `target` may be spoken. Raises EngineError."""
        return self.offer(wanted).sources(target)

    def served_versions(self) -> dict[str, str]:
        """Return the versions that Triton serves of each model, "1" or "1 2". Raises EngineError."""
        served: dict[str, list[str]] = {}
        for status in self._connection.statuses():
            if status.ready:
                served.setdefault(status.name, []).append(status.version)
        return {model: " ".join(sorted(versions)) for model, versions in served.items()}

    def close(self) -> None:
        """Close the connection; open calls fail."""
        self._connection.close()

    def _engine(self, task: Task, name: str, make: Callable[[], E]) -> E:
        with self._lock:
            engine = self._made.get((task, name))
            if engine is None:
                engine = self._made[(task, name)] = make()
            return engine  # type: ignore[return-value]  # the key's task fixes the type
