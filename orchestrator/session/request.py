"""What a session is given: the request, the engines that it calls itself, and who watches."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from client.contracts import BoundaryEngine, FacesEngine, LipsEngine, TtsEngine
from orchestrator.background_choice import BackgroundChoice
from orchestrator.corrections import Correction
from orchestrator.face_choice import FaceChoice
from orchestrator.store.artefacts import FIRST_REVISION
from orchestrator.subtitles.cues import Line
from orchestrator.visual.overruling import Overrule


@dataclass(frozen=True, slots=True)
class DubRequest:
    """What is asked for."""

    session_id: uuid.UUID
    source_language: str
    """ISO 639-1; "" = detect."""
    target_language: str
    engines: dict[str, str] = field(default_factory=dict)
    """Task -> Triton model, where it differs from the settings."""
    face: FaceChoice | None = None
    """Whose lips move; None: the one who speaks."""
    background: BackgroundChoice | None = None
    """What becomes of the source's sound; None: what the settings say."""
    transcript: tuple[Line, ...] | None = None
    """The sentences, where somebody says what is spoken: then nobody listens, and `source_language` is not ""."""
    glossary: dict[str, str] = field(default_factory=dict)
    """Term -> its translation."""
    corrections: dict[str, Correction] = field(default_factory=dict)
    """Segment id -> what a person said against it."""
    overrules: tuple[Overrule, ...] = ()
    """Stretches whose speaker was corrected."""
    revision: int = FIRST_REVISION
    """Of the artefacts that are made; a later one than the first is a render of a finished dub."""


class SessionEngines(Protocol):
    """The engines that a session calls itself; "" means the model that the settings name."""

    def faces(self, model: str = "") -> FacesEngine:
        """Face detection."""
        ...

    def lips(self, model: str = "") -> LipsEngine:
        """Lip synchronisation."""
        ...

    def tts(self, model: str = "") -> TtsEngine:
        """Text to speech; only asked what it states about itself."""
        ...

    def served_versions(self) -> dict[str, str]:
        """Return the versions that are served of each model; one that is not loaded is left out. Raises EngineError."""
        ...

    def source_languages(self, target: str, wanted: Mapping[str, str]) -> Sequence[str]:
        """Return the languages in which a clip to be dubbed into `target` may be spoken. Raises EngineError.

        Asked where the source is to be detected; `wanted`: the request's engines.
        """
        ...

    def boundary(self, model: str = "") -> BoundaryEngine | None:
        """Sentence boundaries; None where no engine is named."""
        ...


class SessionListener(Protocol):
    """Who watches a session."""

    def on_progress(self, stage: str, fraction: float) -> None:
        """Stage `segment`, `stt`, `speech`, `faces` or `lips` has come so far, 0..1."""
        ...

    def cancelled(self) -> bool:
        """Say whether the session should stop."""
        ...
