"""The audio branch of a session: the clip's sound -> chunks -> `audio_queue` and the gate, in a thread of its own."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.clock import now_ms
from orchestrator.errors import SessionCancelled
from orchestrator.media.clip import Mono
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ, SpeechChunk, Transcript, segment_uuid
from orchestrator.pcm import float_to_pcm
from orchestrator.queues import topology
from orchestrator.segmentation.given import GivenSentences
from orchestrator.segmentation.vad import Chunk, Segmenter
from orchestrator.session.gatekeeper import Gatekeeper
from orchestrator.session.segments import HeardChunk, SegmentBook
from orchestrator.session.sender import Publisher
from orchestrator.session.voice import SessionVoice
from orchestrator.settings import Settings
from orchestrator.subtitles.cues import Line
from orchestrator.timing.timeline import DubTimeline

POLL_S = 0.2
"""How often a waiting thread looks whether the session was stopped."""


@dataclass(frozen=True, slots=True)
class AudioJob:
    """What the branch must know of its session."""

    session_id: uuid.UUID
    source_language: str
    """As in SpeechChunk."""
    engines: dict[str, str]
    reply_to: str
    transcript: tuple[Line, ...] | None = None
    """The sentences, where they need not be found and heard."""


class AudioBranch:
    """Segments a clip's sound and publishes the chunks; stops by itself while too much audio is in flight."""

    def __init__(
        self,
        job: AudioJob,
        book: SegmentBook,
        timeline: DubTimeline,
        gate: Gatekeeper,
        outbox: Publisher,
        settings: Settings,
        on_given: Callable[[Transcript], None],
        voice: SessionVoice,
    ) -> None:
        """Wire the branch; nothing runs before `run`. `on_given` is told each sentence of a transcript."""
        self._voice = voice
        self._job = job
        self._book = book
        self._timeline = timeline
        self._gate = gate
        self._outbox = outbox
        self._settings = settings
        self._on_given = on_given
        self._segmenter: Segmenter | GivenSentences = (
            Segmenter(settings.vad, SPEECH_SAMPLE_RATE_HZ)
            if job.transcript is None
            else GivenSentences(job.transcript, SPEECH_SAMPLE_RATE_HZ)
        )
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
            self._gate.settle(self._settled_ms())
            self._voice.settle(self._segmenter.settled_s)
            on_progress()
        self._emit(self._segmenter.flush())
        self._timeline.end()
        self._gate.end(self._settled_ms())
        self._voice.end()
        self.finished_at_ms = now_ms()
        on_progress()

    def _wait_for_room(self, stop: threading.Event) -> None:
        while not self._timeline.wait_below(self._settings.sync.audio_buffer_bytes, POLL_S):
            if stop.is_set() or self._gate.starving or self._voice.wanted:
                break
        if stop.is_set():
            raise SessionCancelled("stopped while segmenting")

    def _settled_ms(self) -> int:
        return round(self._segmenter.settled_s * 1000)

    def _emit(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            heard = self._book.open(segment_uuid(self._job.session_id, round(chunk.start_s * 1000)), chunk)
            self._timeline.announce(heard.segment_id, chunk.start_s, chunk.end_s)
            self._gate.cut(chunk.sequence, heard.start_ms, heard.end_ms)
            self._voice.cut(chunk)
            if self._job.transcript is None:
                self._outbox.publish(topology.AUDIO, self._record(heard))
            else:
                self._on_given(self._given(heard, self._job.transcript[chunk.sequence]))

    def _given(self, heard: HeardChunk, sentence: Line) -> Transcript:
        """Return what a recogniser would answer that hears just what is written."""
        return Transcript(
            session_id=self._job.session_id,
            segment_id=heard.segment_id,
            sequence=heard.chunk.sequence,
            start_ms=heard.start_ms,
            end_ms=heard.end_ms,
            engines=self._job.engines,
            text=sentence.text,
            language=self._job.source_language,
            no_speech_probability=0.0,
            mean_logprob=0.0,
        )

    def _record(self, heard: HeardChunk) -> SpeechChunk:
        return SpeechChunk(
            session_id=self._job.session_id,
            segment_id=heard.segment_id,
            sequence=heard.chunk.sequence,
            start_ms=heard.start_ms,
            end_ms=heard.end_ms,
            engines=self._job.engines,
            pcm=float_to_pcm(heard.chunk.samples),
            source_language=self._job.source_language,
            reply_to=self._job.reply_to,
        )
