"""One dub from clip to artefacts: owns the order and the state; everything else is stateless.

Threads: those of the speech branch, the visual branch (decode, detect, track), and the caller's own, which first looks
where the clip's sound belongs and then renders.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from client.contracts import Task
from orchestrator.background_choice import duck_level_db
from orchestrator.clock import now_ms
from orchestrator.errors import SessionCancelled
from orchestrator.media.audio import read_audio, read_sound
from orchestrator.media.clip import ClipInfo
from orchestrator.media.mux import Muxer, copy_unchanged
from orchestrator.media.video import read_frames
from orchestrator.messages import SPEECH_SAMPLE_RATE_HZ
from orchestrator.queues.broker import Broker
from orchestrator.session.mixer import SoundMixer
from orchestrator.session.render import Renderer
from orchestrator.session.replies import Reply, ReplyRouter
from orchestrator.session.request import DubRequest, SessionEngines, SessionListener
from orchestrator.session.speech_branch import SpeechBranch
from orchestrator.settings import Settings
from orchestrator.store.stage_cache import NoCache, StageCache
from orchestrator.telemetry.spans import span
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
        traceparent: str = "",
    ) -> None:
        """Wire the session; nothing runs before `run`. `cache`: what the stages have made of this clip before.

        `traceparent`: of the span that encloses the session; "": a new trace.
        """
        self.request = request
        self.clip = clip
        self.settings = settings
        self.traceparent = traceparent or new_traceparent()
        self.sync = SourceSync(OffsetVerdict.OFF)
        """How the clip's sound lies against its picture."""
        self.heard_clip = clip
        """The clip with its sound where it belongs, once that was measured."""
        self.mixer: SoundMixer | None = None
        self._path = clip_path
        self._replies = replies
        self._listener = listener
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._new_speech: Callable[[ClipInfo], SpeechBranch] = lambda heard_clip: SpeechBranch(
            request,
            clip_path,
            heard_clip,
            engines=engines,
            broker=broker,
            replies=replies,
            settings=settings,
            cache=cache or NoCache(),
            traceparent=self.traceparent,
            on_error=self._fail,
            on_progress=self._report_progress,
        )
        self.speech = self._new_speech(clip)
        """What becomes of the sound; another one once the sound was found to belong elsewhere."""
        self.faces = RememberedFaces(engines.faces(request.engines.get(Task.FACES, "")))
        casts = Casts(
            choice=request.face,
            sound=lambda: read_audio(clip_path, self.heard_clip, SPEECH_SAMPLE_RATE_HZ),
            again=lambda: read_frames(clip_path, clip),
            overrules=request.overrules,
        )
        frames = read_frames(clip_path, clip)
        self.visual = VisualBranch(frames, clip, self.faces, settings, casts=casts, traceparent=self.traceparent)
        self._lips_engine = engines.lips(request.engines.get(Task.LIPS, ""))
        self.lips = LipRenderer(self._lips_engine, settings)
        self.renderer: Renderer | None = None
        self.started_at_ms = 0
        self.watched_from_ms = 0
        """Unix time from which on pictures were looked at."""
        self.finished_at_ms = 0

    def run(self, result: Path) -> bool:
        """Dub the clip into `result`; False when it holds no speech and was copied unchanged.

        Raises:
            PolylipError: whichever stage failed first; nothing is left at `result`.
        """
        self.started_at_ms = now_ms()
        self._replies.register(self.request.session_id, self)
        try:
            self.speech.start()
            self.watched_from_ms = now_ms()
            self._synchronise()
            self.visual.start()
            return self._render(result)
        finally:
            self.stop()
            self.visual.cancel()
            self.visual.join()
            self.speech.close()
            self._replies.unregister(self.request.session_id)
            self.finished_at_ms = now_ms()

    def _synchronise(self) -> None:
        """Learn where the clip's sound belongs; until then its speech is taken to lie right, as nearly always."""
        if self.request.transcript is not None:
            return  # its times are those of the sound as it is
        frames = read_frames(self._path, self.clip)
        sound = read_audio(self._path, self.clip, SPEECH_SAMPLE_RATE_HZ)
        with ExitStack() as stack:
            close_later(stack, frames)
            close_later(stack, sound)
            begun = stack.enter_context(span("source sync", self.traceparent))
            self.sync = measure_source_sync(
                frames, sound, self.clip, self.faces, self.settings, self._stop, self._go_on, begun.traceparent
            )
        if self.sync.corrected_s:
            self._move_sound(self.sync.corrected_s)

    def _move_sound(self, late_s: float) -> None:
        """Begin with the sound anew: all its times are others. Answers to what was asked before are not known then."""
        before = self.speech
        before.close()
        self.heard_clip = replace(self.clip, audio_offset_s=self.clip.audio_offset_s - late_s)
        self.speech = self._new_speech(self.heard_clip)
        if self._stop.is_set():
            self.speech.stop()
        self._go_on()
        self.speech.start()

    def _go_on(self) -> None:
        """Tell how far it is; raise what has failed meanwhile."""
        self._report_progress()
        if self._error is not None:
            raise self._error

    def _render(self, result: Path) -> bool:
        self.mixer = self._new_mixer()
        with (
            span("render", self.traceparent) as rendering,
            closing(self.mixer),
            Muxer(result, self.clip, self.settings.media, channels=self.mixer.channels) as muxer,
        ):
            self.renderer = Renderer(
                self.clip,
                self.speech.timeline,
                self.lips,
                self._lips_engine.profile,
                self.mixer,
                muxer,
                self.settings,
                lambda: self.speech.last_reply_s,
                rendering.traceparent,
            )
            self.renderer.run(self.visual.frames(), self._stop, self._report_progress)
            rendering.note(**{"polylip.frames": self.renderer.stats.frames})
            self.speech.sender.check_corrections()
            spoken = any(segment.spoken and not segment.kept for segment in self.speech.book.all())
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
        return SoundMixer(
            self.speech.timeline, self.clip.duration_s, background, channels, duck_db, self.settings.sound
        )

    def stop(self) -> None:
        """Stop all branches; `run` then raises SessionCancelled unless it had finished."""
        self._stop.set()
        self.speech.stop()

    def on_reply(self, reply: Reply) -> None:
        """Take a stage worker's answer (any order, any repetition)."""
        self.speech.take(reply)

    def _fail(self, error: Exception) -> None:
        """Wake the render loop wherever it waits; it raises the error."""
        self._error = self._error or error
        self.speech.timeline.fail(error)
        self.visual.fail(error)

    def _report_progress(self) -> None:
        if self._listener.cancelled() and not self._stop.is_set():
            self.stop()
            self._fail(SessionCancelled("cancelled"))
            return
        announced, heard, done = self.speech.book.counts()
        heard_share = min(1.0, self.speech.audio.heard_s / self.clip.duration_s)
        # what is not yet segmented is not yet counted: scale by how much of the sound was read
        self._listener.on_progress("segment", heard_share)
        self._listener.on_progress("stt", heard_share * (heard / announced if announced else 1.0))
        self._listener.on_progress("speech", heard_share * (done / announced if announced else 1.0))
        self._listener.on_progress("faces", min(1.0, self.visual.stats.frames / max(1, self.clip.frame_count)))
        rendered = self.renderer.stats.frames if self.renderer else 0
        self._listener.on_progress("lips", min(1.0, rendered / max(1, self.clip.frame_count)))
