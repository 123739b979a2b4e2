"""The render loop: joins both branches by source time and feeds the muxer, a batch of frames at a time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from client.contracts import Float32Array, LipsProfile
from client.mel import margin_s, mel_windows, slice_for
from orchestrator.errors import SessionCancelled, SessionStalled
from orchestrator.media.clip import ClipInfo, TrackedFrame
from orchestrator.media.mux import Muxer
from orchestrator.session.audio_branch import POLL_S
from orchestrator.session.mixer import SoundMixer
from orchestrator.settings import Settings
from orchestrator.telemetry.spans import span
from orchestrator.timing.timeline import DubTimeline
from orchestrator.visual.lipsync import LipRenderer

RAMP_S = 0.12
"""Lips fade in before speech and out after it over this time (three frames at 25 frames/s)."""


@dataclass(slots=True)
class RenderStats:
    """What the loop did, in seconds of wall clock."""

    frames: int = 0
    frames_with_lips: int = 0
    """Frames whose mouth was asked to move or to shut."""
    waited_for_speech_s: float = 0.0
    render_s: float = 0.0
    """Crops, lips engine, compositing."""
    encode_s: float = 0.0


class Renderer:
    """Pulls tracked frames, waits until their speech is final, moves the lips, writes picture and sound."""

    def __init__(
        self,
        clip: ClipInfo,
        timeline: DubTimeline,
        lips: LipRenderer,
        profile: LipsProfile,
        mixer: SoundMixer,
        muxer: Muxer,
        settings: Settings,
        last_reply_s: Callable[[], float],
        traceparent: str = "",
    ) -> None:
        """Wire the loop; `last_reply_s` is the monotonic time of the last answer of any stage."""
        self._last_reply_s = last_reply_s
        self._traceparent = traceparent
        self._clip = clip
        self._timeline = timeline
        self._lips = lips
        self._profile = profile
        self._mixer = mixer
        self._muxer = muxer
        self._settings = settings
        # a hop more than the mel's margin: its slices end on the hop grid
        self._lookahead_s = max(RAMP_S, margin_s(profile.mel) + 2 / profile.mel.steps_per_s)
        self.stats = RenderStats()

    def run(self, frames: Iterator[TrackedFrame], stop: threading.Event, on_progress: Callable[[], None]) -> None:
        """Render to the end of `frames` and write the rest of the sound. Raises SessionCancelled, SessionStalled.

        `on_progress` is called after each batch, and now and then while waiting.
        """
        batch: list[TrackedFrame] = []
        for frame in frames:
            batch.append(frame)
            if len(batch) >= self._settings.visual.lips_batch:
                self._render(batch, stop, on_progress)
                batch = []
                on_progress()
        if batch:
            self._render(batch, stop, on_progress)
        self._await_speech(self._clip.duration_s, stop, on_progress)
        self._muxer.write_audio(self._mixer.finish())
        on_progress()

    def _render(self, batch: Sequence[TrackedFrame], stop: threading.Event, on_progress: Callable[[], None]) -> None:
        final_s = batch[-1].time_s + self._lookahead_s
        self._await_speech(final_s, stop, on_progress)
        begin = time.monotonic()
        strengths = self._strengths([frame.time_s for frame in batch])
        mels = self._mels(batch, strengths)
        pictures = self._lips.render(batch, mels, strengths=strengths, traceparent=self._traceparent)
        rendered = time.monotonic()
        with span("encode", self._traceparent):
            for frame, picture in zip(batch, pictures, strict=True):
                self._muxer.write_video(picture, frame.time_s)
            self._muxer.write_audio(self._mixer.advance(final_s))
        self._timeline.forget(min(batch[-1].time_s - self._lookahead_s, self._mixer.needs_from_s) - 1.0)
        self.stats.encode_s += time.monotonic() - rendered
        self.stats.render_s += rendered - begin
        self.stats.frames += len(batch)
        self.stats.frames_with_lips += sum(mel is not None for mel in mels)

    def _await_speech(self, until_s: float, stop: threading.Event, on_progress: Callable[[], None]) -> None:
        begin = time.monotonic()
        patience_s = self._settings.session.stall_timeout_s
        while not self._timeline.wait_final(until_s, POLL_S):
            on_progress()  # also looks whether the dub is still wanted
            if stop.is_set():
                raise SessionCancelled("stopped while rendering")
            if time.monotonic() - max(begin, self._last_reply_s()) > patience_s:
                raise SessionStalled(
                    f"no stage answered for {patience_s:.0f} s; speech before {until_s:.2f} s is missing"
                )
        self.stats.waited_for_speech_s += time.monotonic() - begin

    def _strengths(self, times_s: Sequence[float]) -> list[float]:
        """Return 1 inside speech, falling to 0 over RAMP_S outside it."""
        spans = self._timeline.speaking(times_s[0] - RAMP_S, times_s[-1] + RAMP_S)
        return [max((1.0 - _distance(at, span) / RAMP_S for span in spans), default=0.0) for at in times_s]

    def _mels(self, batch: Sequence[TrackedFrame], strengths: Sequence[float]) -> list[Float32Array | None]:
        wanted = [i for i, strength in enumerate(strengths) if strength > 0 and batch[i].face is not None]
        mels: list[Float32Array | None] = [None] * len(batch)
        if wanted:
            spec = self._profile.mel
            times_s = [batch[i].time_s for i in wanted]
            start, stop = slice_for(times_s[0], times_s[-1], spec)
            start_s = start / spec.sample_rate_hz
            windows = mel_windows(self._sound(start, stop), spec, [at - start_s for at in times_s])
            for i, window in zip(wanted, windows, strict=True):
                mels[i] = window
        return mels

    def _sound(self, start: int, stop: int) -> Float32Array:
        """Return the dub's samples start..stop at the sample rate of the engine's mel."""
        rate, wanted_rate = self._timeline.sample_rate_hz, self._profile.mel.sample_rate_hz
        first, last = round(start * rate / wanted_rate), round(stop * rate / wanted_rate)
        track = self._timeline.read(first, last - first)
        if not track.any():
            return np.zeros(stop - start, np.float32)
        sound: Float32Array = soxr.resample(track, rate, wanted_rate)
        return sound


def _distance(at: float, span: tuple[float, float]) -> float:
    return max(span[0] - at, at - span[1], 0.0)
