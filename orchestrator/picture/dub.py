"""What a picture is made from: the files that a dub left in its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from orchestrator.errors import BadRequest
from orchestrator.store.artefacts import Artefact

T = TypeVar("T")


class DrawnSentence(msgspec.Struct, frozen=True):
    """A sentence of `segments.json`, as far as it is drawn. Times in milliseconds of the source's clock."""

    start_ms: int
    end_ms: int
    verdict: str
    source_text: str = ""
    text: str = ""
    dub_start_ms: int = 0
    dub_end_ms: int = 0
    natural_ms: int = 0
    slot_ms: int = 0
    rate: float = 1.0
    speed: float = 1.0
    stretch: float = 1.0
    borrowed_ms: int = 0
    onset_error_ms: int = 0
    remarks: tuple[str, ...] = ()
    """What the TTS engine has said of its work."""

    @property
    def dubbed(self) -> bool:
        """Translated speech was placed for it."""
        return self.dub_end_ms > self.dub_start_ms


class DrawnTiming(msgspec.Struct, frozen=True):
    """The totals that are shown; session/timing_report.py explains them."""

    speech_overlap: float = 0.0
    rate_p95: float = 0.0
    rate_max: float = 0.0
    slot_silent_share: float = 0.0
    borrowed_ms: int = 0
    onset_error_ms_max: int = 0


class DrawnClip(msgspec.Struct, frozen=True):
    """The part of the clip's facts that matters here."""

    duration_s: float


class DrawnReport(msgspec.Struct, frozen=True):
    """`report.json`, as far as it is drawn."""

    outcome: str
    source_language: str
    target_language: str
    clip: DrawnClip
    verdicts: dict[str, int]
    timing: DrawnTiming


class _Segments(msgspec.Struct, frozen=True):
    segments: list[DrawnSentence]


@dataclass(frozen=True, slots=True)
class FinishedDub:
    """A folder that `polylip dub` or `polylip demo` has filled."""

    name: str
    sentences: tuple[DrawnSentence, ...]
    report: DrawnReport
    result: Path


def read_dub(folder: Path) -> FinishedDub:
    """Read a folder. Raises BadRequest, naming the file, when one is missing or cannot be understood."""
    segments = _read(folder / Artefact.SEGMENTS, _Segments).segments
    report = _read(folder / Artefact.REPORT, DrawnReport)
    result = folder / Artefact.RESULT
    if not result.is_file():
        raise BadRequest(f"there is no {result}: the folder is not one of a finished dub")
    return FinishedDub(folder.resolve().name, tuple(segments), report, result)


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}; the folder is not one of a finished dub") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadRequest(f"{path} is not as this release writes it: {error}") from error
