"""Moving the lips in a run of frames: crops, batched calls of the lips engine, compositing."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import av
import numpy as np

from client.contracts import Float32Array, LipsEngine
from orchestrator.media.clip import TrackedFrame
from orchestrator.settings import Settings
from orchestrator.visual.compositor import Patch, paste
from orchestrator.visual.crop import cut_crop
from orchestrator.visual.geometry import face_region
from orchestrator.visual.retry import EngineRetry


@dataclass(slots=True)
class LipStats:
    """What the renderer did so far; seconds of wall clock."""

    frames: int = 0
    frames_changed: int = 0
    engine_calls: int = 0
    crop_s: float = 0.0
    engine_s: float = 0.0
    """Waiting for the lips engine, pauses between tries included."""
    composite_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    """One frame whose lips move."""

    position: int
    """In the run of frames."""
    tracked: TrackedFrame
    mel: Float32Array
    strength: float


class LipRenderer:
    """Gives frames the mouth of their sound. For one thread at a time."""

    def __init__(self, lips: LipsEngine, settings: Settings) -> None:
        """Take the engine's profile as it is now."""
        self._lips = lips
        self._profile = lips.profile
        self._batch = max(1, min(settings.visual.lips_batch, self._profile.max_batch_size))
        self._retry = EngineRetry(settings.visual)
        self.stats = LipStats()

    def render(
        self,
        frames: Sequence[TrackedFrame],
        mels: Sequence[Float32Array | None],
        *,
        strengths: Sequence[float] | None = None,
        traceparent: str = "",
    ) -> list[av.VideoFrame]:
        """Return one picture a frame, in order.

        `mels`: a window [n_mels, steps] for each frame, None to leave it alone. `strengths`: 0..1 for each frame
        (1 when left out), scales the change, to fade in and out. A frame without face, mel or strength passes
        through as the very same object. Raises the engine's error when its tries are used up.
        """
        pictures = [tracked.frame for tracked in frames]
        jobs = list(_jobs(frames, mels, [1.0] * len(frames) if strengths is None else strengths))
        for begin in range(0, len(jobs), self._batch):
            batch = jobs[begin : begin + self._batch]
            for job, picture in zip(batch, self._render_batch(batch, traceparent), strict=True):
                pictures[job.position] = picture
        self.stats.frames += len(frames)
        self.stats.frames_changed += len(jobs)
        return pictures

    def _render_batch(self, batch: Sequence[_Job], traceparent: str) -> list[av.VideoFrame]:
        profile = self._profile
        begin = time.monotonic()
        faces = [job.tracked.face for job in batch]
        regions = [face_region(face, profile.crop_margins, profile.crop_fit) for face in faces if face is not None]
        crops = np.stack(
            [
                cut_crop(job.tracked.frame, region, profile.face_size_px)
                for job, region in zip(batch, regions, strict=True)
            ]
        )
        mels = np.stack([job.mel for job in batch])
        cropped = time.monotonic()
        answers = self._retry.call(lambda: self._lips.move(crops, mels, traceparent=traceparent))
        answered = time.monotonic()
        pictures = [
            paste(job.tracked.frame, Patch(region, crop, answer), profile, job.strength)
            for job, region, crop, answer in zip(batch, regions, crops, answers, strict=True)
        ]
        self.stats.engine_calls += 1
        self.stats.crop_s += cropped - begin
        self.stats.engine_s += answered - cropped
        self.stats.composite_s += time.monotonic() - answered
        return pictures


def _jobs(
    frames: Sequence[TrackedFrame], mels: Sequence[Float32Array | None], strengths: Sequence[float]
) -> Iterator[_Job]:
    for position, (tracked, mel, strength) in enumerate(zip(frames, mels, strengths, strict=True)):
        if tracked.face is not None and mel is not None and strength > 0:
            yield _Job(position, tracked, mel, strength)
