"""Sound of a clip on the clip's own clock: sample n belongs to n / rate seconds after the first picture."""

import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import NoAudioTrack
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.media.guard import sound_stream
from orchestrator.media.open import decoded_frames, open_clip

MAX_DRIFT_S = 0.05
"""A timestamp this far from where the samples before it end starts anew: silence is filled in, overlap is cut."""
SILENCE_S = 1.0
"""Longest piece of filled-in silence."""
LAYOUTS = {1: "mono", 2: "stereo"}

Sound = NDArray[np.float32]
"""Samples in -1..1, shape [channels, n]."""


def read_audio(path: Path, clip: ClipInfo, sample_rate_hz: int, block_s: float = 0.5) -> Iterator[Mono]:
    """Yield mono blocks of `block_s` (the last may be shorter), together exactly as long as the pictures.

    Sound before the first picture is cut, holes are silence, any rate and channel layout is converted.

    Raises:
        NotAVideo: FFmpeg cannot read on.
        NoAudioTrack: there is no track that can be decoded.
    """
    for block in read_sound(path, clip, sample_rate_hz, channels=1, block_s=block_s):
        yield block[0]


def read_sound(
    path: Path, clip: ClipInfo, sample_rate_hz: int, *, channels: int, block_s: float = 0.5
) -> Iterator[Sound]:
    """Do as `read_audio` for 1 or 2 channels; blocks of shape [channels, n]."""
    total = round(clip.duration_s * sample_rate_hz)
    size = max(1, round(block_s * sample_rate_hz))
    held = np.zeros((channels, 0), np.float32)
    done = 0
    for piece in _pieces(path, clip, sample_rate_hz, channels):
        held = np.concatenate([held, piece[:, : total - done - held.shape[1]]], axis=1)
        while held.shape[1] >= size:
            yield held[:, :size]
            held, done = held[:, size:], done + size
        if done + held.shape[1] >= total:
            break
    while done < total:
        length = min(size, total - done)
        yield np.pad(held[:, :length], ((0, 0), (0, max(0, length - held.shape[1]))))
        held, done = held[:, length:], done + length


class _Run:
    """A stretch of sound without a hole, on its way through one resampler."""

    def __init__(self, frame: av.AudioFrame, start_s: float, rate_hz: int, channels: int) -> None:
        self.shape = _shape(frame)
        self.expected_s = start_s
        """Where the next frame should start."""
        self._resampler = av.AudioResampler(format="fltp", layout=LAYOUTS[channels], rate=rate_hz)
        # FFmpeg adds channels up; scaled so, dialogue in both channels of stereo keeps its level
        self._gain = np.float32(math.sqrt(0.5) if frame.layout.nb_channels > channels else 1.0)
        self._channels = channels

    def push(self, frame: av.AudioFrame | None) -> Sound:
        """Resample a frame; None flushes."""
        if frame is not None:
            self.expected_s += frame.samples / frame.sample_rate
        frames = self._resampler.resample(frame)
        pieces = [piece.to_ndarray() for piece in frames if piece is not None]
        sound = np.concatenate([np.zeros((self._channels, 0), np.float32), *pieces], axis=1)
        return np.clip(sound * self._gain, -1.0, 1.0).astype(np.float32, copy=False)


def _pieces(path: Path, clip: ClipInfo, rate_hz: int, channels: int) -> Iterator[Sound]:
    """Yield the sound from time 0 on, without holes or overlaps, in pieces of any length."""
    position = 0  # samples yielded
    skip = 0  # samples of the run that lie before `position`
    run: _Run | None = None
    for start_s, frame in _timed_frames(path, clip):
        if run is None or run.shape != _shape(frame) or abs(start_s - run.expected_s) > MAX_DRIFT_S:
            if run is not None:
                tail = run.push(None)[:, skip:]
                yield tail
                position += tail.shape[1]
            target = round(start_s * rate_hz)
            yield from _silence(target - position, rate_hz, channels)
            skip, position = max(0, position - target), max(target, position)
            run = _Run(frame, start_s, rate_hz, channels)
        sound = run.push(frame)
        kept = sound[:, skip:]
        skip -= sound.shape[1] - kept.shape[1]
        position += kept.shape[1]
        yield kept
    if run is not None:
        yield run.push(None)[:, skip:]


def _timed_frames(path: Path, clip: ClipInfo) -> Iterator[tuple[float, av.AudioFrame]]:
    """Yield (seconds after the first picture, frame)."""
    with open_clip(path, clip) as container:
        stream = sound_stream(container)
        if stream is None:
            raise NoAudioTrack("the clip has no sound that could be dubbed")
        first: int | None = None
        next_s = clip.audio_offset_s
        for frame in decoded_frames(container, stream, clip):
            assert isinstance(frame, av.AudioFrame)
            if first is None:
                first = frame.pts or 0
            if frame.pts is not None and stream.time_base:
                next_s = clip.audio_offset_s + float((frame.pts - first) * stream.time_base)
            yield next_s, frame
            next_s += frame.samples / frame.sample_rate


def _silence(length: int, rate_hz: int, channels: int) -> Iterator[Sound]:
    """Yield zeros in pieces, so that a timestamp far in the future costs no memory."""
    longest = round(SILENCE_S * rate_hz)
    for start in range(0, length, longest):
        yield np.zeros((channels, min(longest, length - start)), np.float32)


def _shape(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
