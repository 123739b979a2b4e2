"""One dub from clip to artefacts: owns the order and the state; everything else is stateless.

Threads: the audio branch (segment, publish), the sentence gate (score, publish), the visual branch (decode, detect,
track), and the caller's own, which renders. Replies of the stage workers come in on the owner's consumer threads.
"""

import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import soxr

from client.contracts import Task
from orchestrator.background_choice import duck_level_db
from orchestrator.clock import now_ms
from orchestrator.errors import SessionCancelled, StageFailed
from orchestrator.media.audio import read_audio, read_sound
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.media.loudness import measure
from orchestrator.media.mux import Muxer, copy_unchanged
from orchestrator.media.video import read_frames
from orchestrator.messages import (
    SPEECH_SAMPLE_RATE_HZ,
    SPOKEN_SAMPLE_RATE_HZ,
    SpokenSentence,
    Transcript,
)
from orchestrator.queues.broker import Broker
from orchestrator.segmentation.sentences import Decided, SentenceGate
from orchestrator.session.audio_branch import AudioBranch, AudioJob
from orchestrator.session.gatekeeper import Gatekeeper
from orchestrator.session.judge import TextJudge, as_given
from orchestrator.session.mixer import SoundMixer
from orchestrator.session.outbox import Outbox
from orchestrator.session.recall import Recall
from orchestrator.session.render import Renderer
from orchestrator.session.replies import Reply, ReplyRouter
from orchestrator.session.request import DubRequest, SessionEngines, SessionListener
from orchestrator.session.segments import Segment, SegmentBook
from orchestrator.session.sender import SentenceSender
from orchestrator.settings import Settings
from orchestrator.store.stage_cache import NoCache, StageCache
from orchestrator.timing.loudness_match import LoudnessMatch, SentenceLoudness
from orchestrator.timing.stretch import stretch
from orchestrator.timing.timeline import DubTimeline
from orchestrator.timing.trim import trim_silence
from orchestrator.tracing import new_traceparent
from orchestrator.visual.branch import Casts, VisualBranch, close_later
from orchestrator.visual.lipsync import LipRenderer
from orchestrator.visual.offset_pass import OffsetVerdict, SourceSync, measure_source_sync
from orchestrator.visual.remembered import RememberedFaces


class DubSession:
    """Dubs one clip. Use once: `run` on a thread of the caller's, `stop` from any other."""

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
        listener: SessionListener,
        cache: StageCache | None = None,
    ) -> None:
        """Wire the session; nothing runs before `run`. `cache`: what the stages have made of this clip before."""
        self.request = request
        self.clip = clip
        self.settings = settings
        self.traceparent = new_traceparent()
        self.book = SegmentBook()
        self.match = LoudnessMatch(settings.sound.ceiling_dbtp) if settings.sound.match_loudness else None
        rate = settings.media.output_sample_rate_hz
        self.timeline = DubTimeline(clip.duration_s, rate, settings.timing, stretch, self.match)
        self.sync = SourceSync(OffsetVerdict.OFF)
        """How the clip's sound lies against its picture."""
        self.heard_clip = clip
        """The clip with its sound where it belongs, once that was measured."""
        self.mixer: SoundMixer | None = None
        self._path = clip_path
        self._replies = replies
        self._listener = listener
        self._stop = threading.Event()
        self._last_reply_s = time.monotonic()
        outbox = Outbox(broker, self.traceparent, self._stop, settings.session.stall_timeout_s)
        self.recall = Recall(outbox, cache or NoCache(), request, engines, settings, self._take)
        self._sender = SentenceSender(request, replies, self.recall)
        language, given = request.source_language, request.transcript
        job = AudioJob(request.session_id, language, request.engines, replies.transcripts, given)
        gated = settings.gate.enabled and given is None
        boundary = engines.boundary(request.engines.get(Task.BOUNDARY, "")) if gated else None
        self.judge = TextJudge(boundary, settings.gate, self.traceparent)
        judge = self.recall.judging(self.judge) if given is None else as_given
        self._gate = Gatekeeper(
            SentenceGate(judge, round(settings.vad.max_segment_s * 1000)),
            prepare=self.judge.prepare,
            on_decided=self._on_decided,
            on_error=self._fail,
        )
        self.audio = AudioBranch(job, self.book, self.timeline, self._gate, self.recall, settings, self._on_transcript)
        self._faces = RememberedFaces(engines.faces(request.engines.get(Task.FACES, "")))
        casts = Casts(
            choice=request.face,
            sound=lambda: read_audio(clip_path, self.heard_clip, SPEECH_SAMPLE_RATE_HZ),
            again=lambda: read_frames(clip_path, clip),
            overrules=request.overrules,
        )
        frames = read_frames(clip_path, clip)
        self.visual = VisualBranch(frames, clip, self._faces, settings, casts=casts, traceparent=self.traceparent)
        self._lips_engine = engines.lips(request.engines.get(Task.LIPS, ""))
        self.lips = LipRenderer(self._lips_engine, settings)
        self.renderer: Renderer | None = None
        self.started_at_ms = 0
        self.finished_at_ms = 0
        self.speech_done_at_ms = 0
        """Unix time at which the last sentence was resolved: the end of the audio branch's work."""

    def run(self, result: Path) -> bool:
        """Dub the clip into `result`; False when it holds no speech and was copied unchanged.

        Raises:
            PolylipError: whichever stage failed first; nothing is left at `result`.
        """
        self.started_at_ms = now_ms()
        self._replies.register(self.request.session_id, self)
        audio = threading.Thread(target=self._run_audio, name="audio-branch", daemon=True)
        try:
            self._synchronise()
            self.visual.start()
            self._gate.start()
            audio.start()
            return self._render(result)
        finally:
            self.stop()
            self.visual.cancel()
            self.visual.join()
            if audio.ident is not None:
                audio.join()
            self._gate.close()
            self._replies.unregister(self.request.session_id)
            self.finished_at_ms = now_ms()

    def _synchronise(self) -> None:
        """Learn where the clip's sound belongs, before anything is read by the clock of the sound."""
        if self.request.transcript is not None:
            return  # its times are those of the sound as it is
        frames = read_frames(self._path, self.clip)
        sound = read_audio(self._path, self.clip, SPEECH_SAMPLE_RATE_HZ)
        with ExitStack() as stack:
            close_later(stack, frames)
            close_later(stack, sound)
            self.sync = measure_source_sync(
                frames, sound, self.clip, self._faces, self.settings, self._stop, self._report_progress
            )
        late_s = self.sync.corrected_s
        self.heard_clip = replace(self.clip, audio_offset_s=self.clip.audio_offset_s - late_s)

    def _render(self, result: Path) -> bool:
        self.mixer = self._new_mixer()
        with (
            closing(self.mixer),
            Muxer(result, self.clip, self.settings.media, channels=self.mixer.channels) as muxer,
        ):
            self.renderer = Renderer(
                self.clip,
                self.timeline,
                self.lips,
                self._lips_engine.profile,
                self.mixer,
                muxer,
                self.settings,
                lambda: self._last_reply_s,
                self.traceparent,
            )
            self.renderer.run(self.visual.frames(), self._stop, self._report_progress)
            self._sender.check_corrections()
            spoken = any(segment.spoken and not segment.kept for segment in self.book.all())
            if not spoken:
                muxer.abort()
        if not spoken:
            copy_unchanged(self._path, result, self.clip, self.settings.media)
        return spoken

    def _new_mixer(self) -> SoundMixer:
        duck_db = duck_level_db(self.request.background, self.settings.sound)
        channels = 1 if duck_db is None else min(self.clip.audio_channels, 2)
        rate = self.settings.media.output_sample_rate_hz
        background = None if duck_db is None else read_sound(self._path, self.heard_clip, rate, channels=channels)
        return SoundMixer(self.timeline, self.clip.duration_s, background, channels, duck_db, self.settings.sound)

    def stop(self) -> None:
        """Stop all branches; `run` then raises SessionCancelled unless it had finished."""
        self._stop.set()

    def on_reply(self, reply: Reply) -> None:
        """Take a stage worker's answer (any order, any repetition)."""
        if isinstance(reply, Transcript | SpokenSentence):
            self.recall.learn(reply)
        self._take(reply)

    def _take(self, reply: Reply) -> None:
        self._last_reply_s = time.monotonic()
        try:
            if isinstance(reply, Transcript):
                self._on_transcript(reply)
            elif isinstance(reply, SpokenSentence):
                self._on_speech(reply)
            else:
                raise StageFailed(reply.stage, f"segment at {reply.start_ms / 1000:.2f} s: {reply.reason}")
        except Exception as error:  # whatever it is, the render loop must wake up and raise it
            self._fail(error)
        self._report_progress()

    def _run_audio(self) -> None:
        try:
            blocks = read_audio(self._path, self.heard_clip, SPEECH_SAMPLE_RATE_HZ)
            self.audio.run(blocks, self._stop, self._report_progress)
        except Exception as error:  # raised again by the render loop
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Wake the render loop wherever it waits; it raises the error."""
        self.timeline.fail(error)
        self.visual.fail(error)

    def _on_transcript(self, transcript: Transcript) -> None:
        chunk = self.book.hear(transcript)
        if chunk is not None:
            doubt = chunk.no_speech_probability > self.settings.gate.max_no_speech_probability
            language = self.request.source_language or chunk.language
            self._gate.hear(chunk.chunk.sequence, "" if doubt else chunk.text, language)

    def _on_decided(self, decided: Decided) -> None:
        """Send a sentence on, or keep its own sound; on the gate's thread."""
        segment = self.book.decide(decided)
        for chunk in segment.chunks[1:]:
            self.timeline.join(segment.segment_id, chunk.segment_id)
        if not self._sender.send(segment):
            self._keep(segment)
        self._report_progress()

    def _on_speech(self, part: SpokenSentence) -> None:
        complete = self.book.speak(part)
        if complete is None:
            return
        segment, sound = complete
        self.recall.learn_speech(part, sound)
        speech = trim_silence(sound, SPOKEN_SAMPLE_RATE_HZ)
        if len(speech) == 0:  # nothing was left to say, e.g. of a mere "uh"
            self._keep(segment)
            return
        rate = self.timeline.sample_rate_hz
        loudness = self._loudness(segment, speech)
        self.timeline.put(segment.segment_id, soxr.resample(speech, SPOKEN_SAMPLE_RATE_HZ, rate), part.speed, loudness)
        segment.release()
        self.speech_done_at_ms = now_ms()

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
        self.speech_done_at_ms = now_ms()

    def _report_progress(self) -> None:
        if self._listener.cancelled() and not self._stop.is_set():
            self._stop.set()
            self._fail(SessionCancelled("cancelled"))
            return
        announced, heard, done = self.book.counts()
        heard_share = min(1.0, self.audio.heard_s / self.clip.duration_s)
        # what is not yet segmented is not yet counted: scale by how much of the sound was read
        self._listener.on_progress("segment", heard_share)
        self._listener.on_progress("stt", heard_share * (heard / announced if announced else 1.0))
        self._listener.on_progress("speech", heard_share * (done / announced if announced else 1.0))
        self._listener.on_progress("faces", min(1.0, self.visual.stats.frames / max(1, self.clip.frame_count)))
        rendered = self.renderer.stats.frames if self.renderer else 0
        self._listener.on_progress("lips", min(1.0, rendered / max(1, self.clip.frame_count)))
