"""All that happens to a clip's speech: cut, heard, joined to sentences, translated, spoken, placed on the timeline.

Threads of its own: the audio branch (segment, publish) and the sentence gate (score, publish). Replies come in on the
owner's consumer threads.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import soxr

from client.contracts import Task
from orchestrator.clock import now_ms
from orchestrator.errors import StageFailed
from orchestrator.logs import thread_with_ids
from orchestrator.media.audio import read_audio
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.media.loudness import measure
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ, SPOKEN_SAMPLE_RATE_HZ, SpokenSentence, Transcript
from orchestrator.queues.broker import Broker
from orchestrator.segmentation.sentences import Decided, SentenceGate
from orchestrator.session.audio_branch import AudioBranch, AudioJob
from orchestrator.session.gatekeeper import Gatekeeper
from orchestrator.session.judge import TextJudge, as_given
from orchestrator.session.outbox import Outbox
from orchestrator.session.recall import Recall
from orchestrator.session.replies import Reply, ReplyRouter
from orchestrator.session.request import DubRequest, SessionEngines
from orchestrator.session.segments import Segment, SegmentBook
from orchestrator.session.sender import SentenceSender
from orchestrator.session.voice import SessionVoice
from orchestrator.settings import Settings
from orchestrator.store.stage_cache import StageCache
from orchestrator.telemetry.metrics import SEGMENT_E2E_SECONDS
from orchestrator.telemetry.spans import span
from orchestrator.timing.loudness_match import LoudnessMatch, SentenceLoudness
from orchestrator.timing.stretch import stretch
from orchestrator.timing.timeline import DubTimeline
from orchestrator.timing.trim import trim_silence


class SpeechBranch:
    """Dubs a clip's sound. Use once: `start`, then `close` in the end, from the same thread."""

    def __init__(
        self,
        request: DubRequest,
        clip_path: Path,
        clip: ClipInfo,
        *,
        engines: SessionEngines,
        broker: Broker,
        replies: ReplyRouter,
        settings: Settings,
        cache: StageCache,
        traceparent: str,
        on_error: Callable[[Exception], None],
        on_progress: Callable[[], None],
    ) -> None:
        """`clip` with its sound where it belongs. `on_error` is told what fails, on any thread, until `close`."""
        self._request, self._path, self._clip, self._settings = request, clip_path, clip, settings
        self._on_error, self._on_progress = on_error, on_progress
        self._stop = threading.Event()
        self.book = SegmentBook()
        self.match = LoudnessMatch(settings.sound.ceiling_dbtp) if settings.sound.match_loudness else None
        rate = settings.media.output_sample_rate_hz
        self.timeline = DubTimeline(clip.duration_s, rate, settings.timing, stretch, self.match)
        outbox = Outbox(broker, traceparent, self._stop, settings.session.stall_timeout_s)
        self.recall = Recall(outbox, cache, request, engines, settings, self._take)
        self.voice = SessionVoice(settings.voice, cache, self._stop, self.book.unspoken, clip.audio_offset_s)
        self._engines = engines
        self.sender = SentenceSender(request, replies, self.recall, self.voice.for_sentence)
        given = request.transcript
        spoken = request.source_language
        if not spoken and given is None:  # detected, but never as a language that cannot be dubbed
            spoken = " ".join(engines.source_languages(request.target_language, request.engines))
        job = AudioJob(request.session_id, spoken, request.engines, replies.transcripts, given)
        gated = settings.gate.enabled and given is None
        boundary = engines.boundary(request.engines.get(Task.BOUNDARY, "")) if gated else None
        self.judge = TextJudge(boundary, settings.gate, traceparent)
        judge = self.recall.judging(self.judge) if given is None else as_given
        self._gate = Gatekeeper(
            SentenceGate(judge, round(settings.vad.max_segment_s * 1000)),
            prepare=self.judge.prepare,
            on_decided=self._on_decided,
            on_error=self._fail,
        )
        self.audio = AudioBranch(
            job, self.book, self.timeline, self._gate, self.recall, settings, self._on_transcript, self.voice
        )
        self._thread = thread_with_ids(self._run_audio, "audio-branch")
        self._traceparent = traceparent
        self._begun_at_ms = now_ms()
        self.last_reply_s = time.monotonic()
        """Monotonic time of the last answer of any stage."""
        self.done_at_ms = 0
        """Unix time at which the last sentence was resolved: the end of the branch's work."""

    def start(self) -> None:
        """Begin to read the sound. Raises EngineError when the TTS engine does not say what it is."""
        self.voice.open(self._engines.tts(self._request.engines.get(Task.TTS, "")))
        self._gate.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop soon; from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait until nothing of it runs any more."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._gate.close()

    def take(self, reply: Reply) -> None:
        """Take a stage worker's answer (any order, any repetition)."""
        if isinstance(reply, Transcript | SpokenSentence):
            self.recall.learn(reply)
        if isinstance(reply, SpokenSentence) and reply.final and reply.timings:
            self._observe_age(reply)
        self._take(reply)

    def _observe_age(self, spoken: SpokenSentence) -> None:
        # what was heard for an earlier dub of the clip is remembered with the times of then
        first = spoken.timings[0]
        begun_ms = max(self._begun_at_ms, first.started_at_ms - first.queued_ms)
        SEGMENT_E2E_SECONDS.observe(max(0.0, now_ms() - begun_ms) / 1000)

    def _take(self, reply: Reply) -> None:
        self.last_reply_s = time.monotonic()
        try:
            if isinstance(reply, Transcript):
                self._on_transcript(reply)
            elif isinstance(reply, SpokenSentence):
                self._on_speech(reply)
            else:
                raise StageFailed(reply.stage, f"segment at {reply.start_ms / 1000:.2f} s: {reply.reason}")
        except Exception as error:  # whatever it is, the render loop must wake up and raise it
            self._fail(error)
        self._on_progress()

    def _run_audio(self) -> None:
        try:
            blocks = read_audio(self._path, self._clip, SPEECH_SAMPLE_RATE_HZ)
            with span("segment", self._traceparent):
                self.audio.run(blocks, self._stop, self._on_progress)
        except Exception as error:  # raised again by the render loop
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.timeline.fail(error)
        if not self._stop.is_set():  # what fails because it was stopped is nobody's concern
            self._on_error(error)

    def _on_transcript(self, transcript: Transcript) -> None:
        chunk = self.book.hear(transcript)
        if chunk is not None:
            doubt = chunk.no_speech_probability > self._settings.gate.max_no_speech_probability
            language = self._request.source_language or chunk.language
            text = "" if doubt else chunk.text
            self.voice.hear(chunk.chunk.sequence, speech=bool(text))
            self._gate.hear(chunk.chunk.sequence, text, language)

    def _on_decided(self, decided: Decided) -> None:
        """Send a sentence on, or keep its own sound; on the gate's thread."""
        segment = self.book.decide(decided)
        for chunk in segment.chunks[1:]:
            self.timeline.join(segment.segment_id, chunk.segment_id)
        if not self.sender.send(segment):
            self._keep(segment)
        self._on_progress()

    def _on_speech(self, part: SpokenSentence) -> None:
        complete = self.book.speak(part)
        if complete is None:
            return
        segment, sound = complete
        self.recall.learn_speech(part, sound, segment.remarks)
        speech = trim_silence(sound, SPOKEN_SAMPLE_RATE_HZ)
        if len(speech) == 0:  # nothing was left to say, e.g. of a mere "uh"
            self._keep(segment)
            return
        rate = self.timeline.sample_rate_hz
        loudness = self._loudness(segment, speech)
        self.timeline.put(segment.segment_id, soxr.resample(speech, SPOKEN_SAMPLE_RATE_HZ, rate), part.speed, loudness)
        segment.release()
        self.done_at_ms = now_ms()

    def _loudness(self, segment: Segment, speech: Mono) -> SentenceLoudness | None:
        if self.match is None:
            return None
        source = segment.source_sound(SPEECH_SAMPLE_RATE_HZ)
        dub = measure(speech, SPOKEN_SAMPLE_RATE_HZ)
        return SentenceLoudness(
            source_lufs=measure(source, SPEECH_SAMPLE_RATE_HZ).lufs,
            source_s=len(source) / SPEECH_SAMPLE_RATE_HZ,
            dub_lufs=dub.lufs,
            dub_s=len(speech) / SPOKEN_SAMPLE_RATE_HZ,
            dub_peak_dbtp=dub.true_peak_dbtp,
        )

    def _keep(self, segment: Segment) -> None:
        segment.kept = True
        self.timeline.keep(segment.segment_id, segment.source_sound(self.timeline.sample_rate_hz), segment.start_s)
        segment.release()
        self.done_at_ms = now_ms()
