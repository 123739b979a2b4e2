"""The audio branch of a session: the clip's sound -> chunks -> `audio_queue`, in a thread of its own."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import soxr

from orchestrator.clock import now_ms
from orchestrator.errors import SessionCancelled
from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ, SpeechChunk, segment_uuid
from orchestrator.pcm import float_to_pcm
from orchestrator.queues import topology
from orchestrator.segmentation.vad import Chunk, Segmenter
from orchestrator.session.outbox import Outbox
from orchestrator.session.segments import Segment, SegmentBook
from orchestrator.settings import Settings
from orchestrator.timing.timeline import DubTimeline

POLL_S = 0.2
"""How often a waiting thread looks whether the session was stopped."""


@dataclass(frozen=True, slots=True)
class AudioJob:
    """What the branch must know of its session."""

    session_id: uuid.UUID
    source_language: str
    engines: dict[str, str]
    reply_to: str


class AudioBranch:
    """Segments a clip's sound and publishes the chunks; stops by itself while too much audio is in flight."""

    def __init__(
        self, job: AudioJob, book: SegmentBook, timeline: DubTimeline, outbox: Outbox, settings: Settings
    ) -> None:
        """Wire the branch; nothing runs before `run`."""
        self._job = job
        self._book = book
        self._timeline = timeline
        self._outbox = outbox
        self._settings = settings
        self._segmenter = Segmenter(settings.vad, SPEECH_SAMPLE_RATE_HZ)
        self.started_at_ms = 0
        self.finished_at_ms = 0
        self.heard_s = 0.0
        """Seconds of sound read so far."""

    def run(self, blocks: Iterator[Mono], stop: threading.Event, on_progress: Callable[[], None]) -> None:
        """Read mono 16 kHz blocks to their end. Raises SessionCancelled when `stop` is set."""
        self.started_at_ms = now_ms()
        for block in blocks:
            self._wait_for_room(stop)
            self._emit(self._segmenter.push(block))
            self.heard_s += len(block) / SPEECH_SAMPLE_RATE_HZ
            self._timeline.settle(self._segmenter.settled_s)
            on_progress()
        self._emit(self._segmenter.flush())
        self._timeline.end()
        self.finished_at_ms = now_ms()
        on_progress()

    def _wait_for_room(self, stop: threading.Event) -> None:
        while not self._timeline.wait_below(self._settings.sync.audio_buffer_bytes, POLL_S):
            if stop.is_set():
                break
        if stop.is_set():
            raise SessionCancelled("stopped while segmenting")

    def _emit(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            start_ms = round(chunk.start_s * 1000)
            segment = self._book.open(segment_uuid(self._job.session_id, start_ms), chunk)
            self._timeline.announce(segment.segment_id, chunk.start_s, chunk.end_s)
            self._outbox.publish(topology.AUDIO, self._record(segment, start_ms))

    def _record(self, segment: Segment, start_ms: int) -> SpeechChunk:
        return SpeechChunk(
            session_id=self._job.session_id,
            segment_id=segment.segment_id,
            sequence=segment.chunk.sequence,
            start_ms=start_ms,
            end_ms=round(segment.chunk.end_s * 1000),
            engines=self._job.engines,
            pcm=float_to_pcm(segment.chunk.samples),
            source_language=self._job.source_language,
            reply_to=self._job.reply_to,
        )


def source_sound(chunk: Chunk, sample_rate_hz: int) -> Mono:
    """Return the chunk's own sound from its start to its end, without the padding, at another sample rate."""
    first = round((chunk.start_s - chunk.audio_start_s) * SPEECH_SAMPLE_RATE_HZ)
    count = round((chunk.end_s - chunk.start_s) * SPEECH_SAMPLE_RATE_HZ)
    speech = chunk.samples[max(0, first) : max(0, first) + count]
    resampled: Mono = soxr.resample(speech, SPEECH_SAMPLE_RATE_HZ, sample_rate_hz)
    return resampled
