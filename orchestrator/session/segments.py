"""The book of one session's segments: what became of each chunk, safe against repeated and reordered messages."""

import threading
import uuid
from dataclasses import dataclass, field

from orchestrator.media.clip import Mono
from orchestrator.messages import Record, SpokenSentence, StageTiming, Transcript
from orchestrator.pcm import pcm_to_float
from orchestrator.segmentation.vad import Chunk


@dataclass(slots=True)
class Segment:
    """One chunk of speech on its way. Times in seconds of the source's clock."""

    segment_id: uuid.UUID
    chunk: Chunk
    source_text: str = ""
    language: str = ""
    text: str = ""
    """The translation."""
    heard: bool = False
    """The transcript is here."""
    kept: bool = False
    """No speech was understood: its own sound stays."""
    spoken: bool = False
    """The whole translated speech is here."""
    no_speech_probability: float = 0.0
    mean_logprob: float = 0.0
    timings: dict[str, StageTiming] = field(default_factory=dict)
    """Per stage, the try that counted."""
    first_speech_at_ms: int = 0
    """Unix time of the first chunk of translated speech."""
    _tries: dict[uuid.UUID, dict[int, SpokenSentence]] = field(default_factory=dict)

    def note_timings(self, record: Record) -> None:
        """Remember how long each stage took."""
        for timing in record.timings:
            self.timings.setdefault(timing.stage, timing)

    def collect(self, part: SpokenSentence) -> Mono | None:
        """Add a chunk of speech; returns all of it, mono float32, once one try of the engine is complete."""
        if self.spoken:
            return None
        self.first_speech_at_ms = self.first_speech_at_ms or part.created_at_ms
        parts = self._tries.setdefault(part.synthesis_id, {})
        parts[part.chunk_index] = part
        last = next((index for index, chunk in parts.items() if chunk.final), None)
        if last is None or len(parts) != last + 1:
            return None
        self.spoken = True
        self.source_text, self.text = part.source_text, part.text
        speech = pcm_to_float(b"".join(parts[index].pcm for index in range(last + 1)))
        self._tries.clear()
        return speech


class SegmentBook:
    """All segments of one session, by id."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._segments: dict[uuid.UUID, Segment] = {}

    def open(self, segment_id: uuid.UUID, chunk: Chunk) -> Segment:
        """Enter a chunk."""
        with self._lock:
            segment = self._segments[segment_id] = Segment(segment_id, chunk)
            return segment

    def hear(self, record: Transcript) -> Segment | None:
        """Enter a transcript; None when it is unknown here or was entered before."""
        with self._lock:
            segment = self._segments.get(record.segment_id)
            if segment is None or segment.heard:
                return None
            segment.heard = True
            segment.source_text, segment.language = record.text.strip(), record.language
            segment.no_speech_probability = record.no_speech_probability
            segment.mean_logprob = record.mean_logprob
            segment.note_timings(record)
            return segment

    def speak(self, record: SpokenSentence) -> tuple[Segment, Mono] | None:
        """Enter a chunk of translated speech; the segment and its speech when that completes it."""
        with self._lock:
            segment = self._segments.get(record.segment_id)
            speech = segment.collect(record) if segment else None
            if segment is None or speech is None:
                return None
            segment.note_timings(record)
            return segment, speech

    def all(self) -> list[Segment]:
        """All segments in the order of speech."""
        with self._lock:
            return sorted(self._segments.values(), key=lambda segment: segment.chunk.sequence)

    def counts(self) -> tuple[int, int, int]:
        """How many were announced, have come back from STT, and are done with (spoken or kept)."""
        with self._lock:
            segments = self._segments.values()
            return len(segments), sum(s.heard for s in segments), sum(s.spoken or s.kept for s in segments)
