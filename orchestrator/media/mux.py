"""Writes the result: H.264 and AAC in an MP4 that plays everywhere, on the source's clock and in its displayed size."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType

from orchestrator.errors import ResultNotWritten
from orchestrator.media.audio import LAYOUTS, Sound, read_sound
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.media.encoders import CLOCK_HZ, add_pictures, add_sound
from orchestrator.media.remux import codecs_fit_mp4, copy_file, is_mp4, is_timed, part_of, remux
from orchestrator.media.video import read_frames
from orchestrator.settings import MediaSettings

INTERLEAVE_US = 30_000_000
"""The muxer waits so long for the slower of the two tracks before it writes the faster one's packets on their own."""
SILENCE_S = 1.0


class Muxer:
    """One result being written. Pictures and sound may come from two threads and each at its own pace.

    The file appears at `target` only when `close` has succeeded; as a context manager it closes after a block that ends
    well and aborts after one that raises. Rotation is in the pictures themselves (they come upright from the reader):
    so every player and every later tool shows them right without knowing of display matrices.
    """

    def __init__(
        self,
        target: Path,
        clip: ClipInfo,
        settings: MediaSettings,
        *,
        metadata: Mapping[str, str] | None = None,
        channels: int = 1,
    ) -> None:
        """Prepare; no byte is written before the first picture. `metadata`: MP4 tags such as `title`, `comment`."""
        self._target, self._clip = target, clip
        self._part = part_of(target)
        self._lock = threading.RLock()
        self._open = True
        self._container = av.open(
            str(self._part.absolute()),
            "w",
            format="mp4",
            container_options={"movflags": "+faststart", "max_interleave_delta": str(INTERLEAVE_US)},
        )
        self._container.metadata.update(metadata or {})
        self._rate_hz = settings.output_sample_rate_hz
        self._total = round(clip.duration_s * self._rate_hz)
        self._written = 0
        self._channels = channels
        self._audio = add_sound(self._container, settings, LAYOUTS[channels])
        self._video = add_pictures(self._container, clip, settings)
        self._early: list[Packet[Stream]] | None = []
        """Encoded sound that came before the first picture; None from then on."""
        self._held: tuple[av.VideoFrame, float] | None = None
        """The last picture: its duration is known when the next one comes."""
        self._durations: dict[int, int] = {}

    def write_video(self, frame: av.VideoFrame, time_s: float) -> None:
        """Take the next picture: upright yuv420p, `time_s` after the first one and above the one before.

        The frame is handed over: its timestamps are changed. Raises `ResultNotWritten`; ValueError when time stands.
        """
        with self._writing():
            if self._held is not None and time_s <= self._held[1]:
                raise ValueError(f"a picture at {time_s} s cannot follow one at {self._held[1]} s")
            if self._held is None:
                self._start(frame)
            else:
                self._encode_held(time_s)
            self._held = (frame, time_s)

    def write_audio(self, samples: Mono | Sound) -> None:
        """Take the next samples, shape [n] or [channels, n], in -1..1; the first one belongs to time 0.

        What goes beyond the clip's duration is dropped. Raises `ResultNotWritten`.
        """
        with self._writing():
            sound = np.atleast_2d(samples)[:, : self._total - self._written]
            if sound.shape[1] == 0:
                return
            sound = np.ascontiguousarray(np.clip(sound, -1.0, 1.0), np.float32)
            frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout=LAYOUTS[self._channels])
            frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
            frame.pts = self._written
            self._written += sound.shape[1]
            self._mux_audio(self._audio.encode(frame))

    def close(self) -> None:
        """Fill missing sound with silence, finish the file and put it at `target`. Raises `ResultNotWritten`."""
        with self._writing():
            if self._held is None:
                raise ValueError("a result needs at least one picture")
            self._encode_held(max(self._clip.duration_s, self._held[1] + 1 / CLOCK_HZ))
            self._mux_video(self._video.encode(None))
            while self._written < self._total:
                self.write_audio(np.zeros((self._channels, round(SILENCE_S * self._rate_hz)), np.float32))
            self._mux_audio(self._audio.encode(None))
            self._container.close()
            self._part.replace(self._target)
            self._open = False

    def abort(self) -> None:
        """Give up and leave nothing behind; harmless after `close` or another `abort`."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            # unlinked first, so that closing does not rearrange a file that nobody wants
            self._part.unlink(missing_ok=True)
            with suppress(av.FFmpegError):
                self._container.close()
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._open:
                self.close()
        finally:
            self.abort()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                raise ValueError("this result is closed")
            try:
                yield
            except (av.FFmpegError, OSError) as error:
                raise ResultNotWritten(f"the result cannot be written: {error.strerror}") from error

    def _start(self, frame: av.VideoFrame) -> None:
        """Take the colours of the first picture over and write the file's header."""
        context = self._video.codec_context
        context.color_range, context.colorspace = frame.color_range, frame.colorspace
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        self._container.start_encoding()
        early, self._early = self._early, None
        self._container.mux(early or [])

    def _encode_held(self, until_s: float) -> None:
        assert self._held is not None
        frame, time_s = self._held
        pixel_format = self._video.codec_context.pix_fmt
        if frame.format.name != pixel_format:
            kept = frame.color_range
            frame = frame.reformat(format=pixel_format, src_color_range=kept, dst_color_range=kept)
        frame.time_base, frame.pts = Fraction(1, CLOCK_HZ), round(time_s * CLOCK_HZ)
        frame.pict_type = PictureType.NONE  # else the encoder would repeat the source's choice of key frames
        self._durations[frame.pts] = round(until_s * CLOCK_HZ) - frame.pts
        self._mux_video(self._video.encode(frame))

    def _mux_video(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts or 0, packet.duration)
            self._container.mux_one(packet)

    def _mux_audio(self, packets: "list[Packet[Stream]]") -> None:
        if self._early is not None:
            self._early += packets
        else:
            self._container.mux(packets)


def copy_unchanged(source: Path, target: Path, clip: ClipInfo, settings: MediaSettings | None = None) -> None:
    """Give a clip back as it came: the very file if it is an MP4, else its packets in one, else encoded anew.

    Only codecs that MP4 cannot hold are encoded anew; then the sound becomes stereo at most. Rotation and timing
    survive in each case. Raises `NotAVideo` and `ResultNotWritten`.
    """
    if codecs_fit_mp4(clip) and is_mp4(clip):
        copy_file(source, target)
    elif codecs_fit_mp4(clip) and is_timed(clip):
        remux(source, target, clip)
    else:
        _encode_anew(source, target, clip, settings or MediaSettings())


def _encode_anew(source: Path, target: Path, clip: ClipInfo, settings: MediaSettings) -> None:
    channels = min(clip.audio_channels, max(LAYOUTS))
    sound = read_sound(source, clip, settings.output_sample_rate_hz, channels=channels, block_s=SILENCE_S)
    with Muxer(target, clip, settings, channels=channels) as muxer:
        heard_s = 0.0
        for _, time_s, frame in read_frames(source, clip):
            muxer.write_video(frame, time_s)
            while heard_s <= time_s and (block := next(sound, None)) is not None:
                muxer.write_audio(block)
                heard_s += SILENCE_S
        for block in sound:
            muxer.write_audio(block)
