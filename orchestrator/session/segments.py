"""The book of one session: what became of each chunk and sentence, safe against repeated and reordered messages."""

import dataclasses
import threading
import uuid
from dataclasses import dataclass, field

import numpy as np
import soxr

from orchestrator.clock import now_ms
from orchestrator.corrections import Correction
from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ, Record, SpokenSentence, StageTiming, Transcript
from orchestrator.pcm import pcm_to_float
from orchestrator.segmentation.sentences import Decided, Gate, Opinion
from orchestrator.segmentation.vad import Chunk


@dataclass(slots=True)
class HeardChunk:
    """One chunk on its way to a sentence. Times in seconds of the source's clock."""

    segment_id: uuid.UUID
    chunk: Chunk
    text: str = ""
    language: str = ""
    heard: bool = False
    """The transcript is here."""
    heard_at_ms: int = 0
    """Unix time."""
    no_speech_probability: float = 0.0
    mean_logprob: float = 0.0
    timings: tuple[StageTiming, ...] = ()

    @property
    def start_ms(self) -> int:
        """In the source's time."""
        return round(self.chunk.start_s * 1000)

    @property
    def end_ms(self) -> int:
        """In the source's time."""
        return round(self.chunk.end_s * 1000)

    def sound(self) -> Mono:
        """Return its own sound from its start to its end, without the padding, 16 kHz."""
        chunk = self.chunk
        first = max(0, round((chunk.start_s - chunk.audio_start_s) * SPEECH_SAMPLE_RATE_HZ))
        count = round((chunk.end_s - chunk.start_s) * SPEECH_SAMPLE_RATE_HZ)
        return chunk.samples[first : first + count]


@dataclass(slots=True)
class Segment:
    """One sentence: one chunk or several that belong together; or one chunk without speech."""

    segment_id: uuid.UUID
    """Its first chunk's: it follows from session and start time alone."""
    sequence: int
    """0, 1, 2, … in the order of speech."""
    chunks: tuple[HeardChunk, ...]
    source_text: str
    language: str
    gate: Gate | None
    """None: no speech."""
    opinion: Opinion | None
    decided_at_ms: int
    """Unix time."""
    text: str = ""
    """The translation."""
    correction: Correction = field(default_factory=Correction)
    """What a person said against it."""
    glossary_missed: tuple[str, ...] = ()
    """Terms of the glossary that the translation does not keep."""
    voice: str = ""
    """Which reference it was spoken by; "": none."""
    remarks: tuple[str, ...] = ()
    """What the TTS engine has said of its work."""
    kept: bool = False
    """No speech was understood, or it is to be skipped: its own sound stays."""
    spoken: bool = False
    """The whole translated speech is here."""
    timings: dict[str, StageTiming] = field(default_factory=dict)
    """Of the stages after the gate, the try that counted."""
    first_speech_at_ms: int = 0
    """Unix time of the first chunk of translated speech."""
    _tries: dict[uuid.UUID, dict[int, SpokenSentence]] = field(default_factory=dict)

    @property
    def start_s(self) -> float:
        """Start of its first chunk."""
        return self.chunks[0].chunk.start_s

    @property
    def start_ms(self) -> int:
        """Start of its first chunk."""
        return self.chunks[0].start_ms

    @property
    def end_ms(self) -> int:
        """End of its last chunk."""
        return self.chunks[-1].end_ms

    @property
    def gate_ms(self) -> int:
        """From the last of its transcripts to the decision that it is a sentence, milliseconds."""
        return max(0, self.decided_at_ms - max(chunk.heard_at_ms for chunk in self.chunks))

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
        self.glossary_missed = part.glossary_missed
        self.voice, self.remarks = part.voice, parts[last].remarks
        speech = pcm_to_float(b"".join(parts[index].pcm for index in range(last + 1)))
        self._tries.clear()
        return speech

    def source_sound(self, sample_rate_hz: int) -> Mono:
        """Return the source's own sound from start to end, silence between its chunks, at another sample rate."""
        first = round(self.start_s * SPEECH_SAMPLE_RATE_HZ)
        placed = [(round(chunk.chunk.start_s * SPEECH_SAMPLE_RATE_HZ) - first, chunk.sound()) for chunk in self.chunks]
        whole = np.zeros(max(at + len(sound) for at, sound in placed), np.float32)
        for at, sound in placed:
            whole[at : at + len(sound)] = sound
        resampled: Mono = soxr.resample(whole, SPEECH_SAMPLE_RATE_HZ, sample_rate_hz)
        return resampled

    def release(self) -> None:
        """Forget the source's sound: it is not needed any more."""
        for chunk in self.chunks:
            chunk.chunk = dataclasses.replace(chunk.chunk, samples=np.zeros(0, np.float32))


def _is_of_another_clock(record: Record, known: HeardChunk | Segment) -> bool:
    """An answer to what was asked before the clip's sound was moved may have the id of something else by now."""
    return (record.start_ms, record.end_ms) != (known.start_ms, known.end_ms)


class SegmentBook:
    """All chunks and sentences of one session."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._chunks: dict[uuid.UUID, HeardChunk] = {}
        self._by_number: dict[int, HeardChunk] = {}
        self._segments: dict[uuid.UUID, Segment] = {}

    def open(self, segment_id: uuid.UUID, chunk: Chunk) -> HeardChunk:
        """Enter a chunk."""
        with self._lock:
            heard = self._chunks[segment_id] = self._by_number[chunk.sequence] = HeardChunk(segment_id, chunk)
            return heard

    def hear(self, record: Transcript) -> HeardChunk | None:
        """Enter a transcript; None when it is of no chunk here or was entered before."""
        with self._lock:
            chunk = self._chunks.get(record.segment_id)
            if chunk is None or chunk.heard or _is_of_another_clock(record, chunk):
                return None
            chunk.heard, chunk.heard_at_ms = True, now_ms()
            chunk.text, chunk.language = record.text.strip(), record.language
            chunk.no_speech_probability = record.no_speech_probability
            chunk.mean_logprob = record.mean_logprob
            chunk.timings = record.timings
            return chunk

    def decide(self, decided: Decided) -> Segment:
        """Enter what the gate has decided; calls come in the order of speech."""
        with self._lock:
            chunks = tuple(self._by_number.pop(number) for number in decided.chunks)
            segment = self._segments[chunks[0].segment_id] = Segment(
                segment_id=chunks[0].segment_id,
                sequence=len(self._segments),
                chunks=chunks,
                source_text=decided.text or chunks[0].text,
                language=decided.language or chunks[0].language,
                gate=decided.gate,
                opinion=decided.opinion,
                decided_at_ms=now_ms(),
            )
            return segment

    def speak(self, record: SpokenSentence) -> tuple[Segment, Mono] | None:
        """Enter a chunk of translated speech; the segment and its speech when that completes it."""
        with self._lock:
            segment = self._segments.get(record.segment_id)
            if segment is None or _is_of_another_clock(record, segment):
                return None
            speech = segment.collect(record)
            if speech is None:
                return None
            segment.note_timings(record)
            return segment, speech

    def chunks(self) -> list[HeardChunk]:
        """All chunks in the order of speech."""
        with self._lock:
            return sorted(self._chunks.values(), key=lambda chunk: chunk.chunk.sequence)

    def all(self) -> list[Segment]:
        """All decided sentences in the order of speech."""
        with self._lock:
            return list(self._segments.values())

    def unspoken(self) -> int:
        """How many sentences are decided and neither spoken nor kept."""
        with self._lock:
            return sum(not segment.spoken and not segment.kept for segment in self._segments.values())

    def counts(self) -> tuple[int, int, int]:
        """How many chunks were announced, have come back from STT, and are done with (spoken or kept)."""
        with self._lock:
            chunks, segments = self._chunks.values(), self._segments.values()
            done = sum(len(segment.chunks) for segment in segments if segment.spoken or segment.kept)
            return len(chunks), sum(chunk.heard for chunk in chunks), done
