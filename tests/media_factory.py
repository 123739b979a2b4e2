"""Tiny, exact clips made in code: every picture carries its own number, every sound starts at a known sample.

from tests.media_factory import Burst, make_clip, read_counter
make_clip(tmp_path / "clip.mp4", duration_s=1, bursts=[Burst(0.4)], flashes_s=[0.4])
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

CLOCK_HZ = 90_000
"""Time base of the pictures."""
COUNTER_BITS = 16
AUDIO_BLOCK = 1024
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
VP9_KEY_FRAME = b"\x82\x49\x83\x42"
"""First bytes of a key frame of profile 0: marker, flags, sync code (VP9 bitstream specification, 6.2)."""
CENTRE_CHANNEL = {1: 0, 2: 0, 6: 2}
"""Where the sound goes: a 5.1 film has its dialogue in the centre."""

Picture = Callable[[int, float], NDArray[np.uint8]]
"""(index, time_s) -> upright RGB picture [h, w, 3]."""


@dataclass(frozen=True)
class Burst:
    """A tone with hard edges."""

    start_s: float
    duration_s: float = 0.1
    frequency_hz: float = 1000.0
    amplitude: float = 0.5


def make_clip(
    path: Path,
    *,
    duration_s: float = 1.0,
    size: tuple[int, int] = (160, 120),
    fps: float | Fraction = 25,
    frame_times_s: Sequence[float] | None = None,
    pictures: Picture | None = None,
    flashes_s: Sequence[float] = (),
    rotation: int = 0,
    video: bool = True,
    video_codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    video_options: dict[str, str] | None = None,
    audio: bool = True,
    samples: NDArray[np.float32] | None = None,
    bursts: Sequence[Burst] = (),
    sample_rate: int = 48_000,
    channels: int = 1,
    audio_codec: str = "aac",
    audio_offset_s: float = 0.0,
    audio_gap_s: tuple[float, float] | None = None,
    faststart: bool = True,
    cover_art: bool = False,
    container: str | None = None,
) -> Path:
    """Write a clip and return `path`.

    `size` is the upright picture's (width, height); `rotation` the clockwise turn a player applies, so the stored
    picture is turned the other way. `frame_times_s` makes a variable frame rate (the last picture lasts 1/fps).
    `samples` (mono, any length) replaces `bursts`. `audio_offset_s` is the audio's start minus the video's.
    `audio_gap_s` leaves a hole in the audio's timestamps. `container` is FFmpeg's muxer name when the suffix lies.
    """
    times_s = list(frame_times_s) if frame_times_s is not None else _regular(duration_s, fps)
    flags = {"movflags": "+faststart"} if faststart and (container or path.suffix) in ("mp4", ".mp4") else {}
    with av.open(str(path), "w", format=container, container_options=flags) as output:
        picture_stream = None
        if video:
            uneven = {"bf": "0"} if frame_times_s else {}  # with B-frames MP4 blurs the duration of uneven pictures
            options = {**uneven, **(video_options or {})}
            picture_stream = _video_stream(output, video_codec, size, fps, rotation, pix_fmt, options)
        sound_stream = None
        if audio:
            sound_stream = output.add_stream(audio_codec, rate=sample_rate, layout=LAYOUTS[channels])
        if cover_art:
            _add_cover(output)
        if sound_stream is not None:
            sound = samples if samples is not None else _tones(bursts, duration_s, sample_rate)
            _write_sound(output, sound_stream, sound, max(audio_offset_s, 0.0), audio_gap_s)
        if picture_stream is not None:
            draw = pictures or counter_picture(size, flashes_s, float(fps))
            _write_pictures(output, picture_stream, draw, times_s, fps, rotation, max(-audio_offset_s, 0.0))
    return path


def make_bomb(path: Path, size: tuple[int, int] = (16_000, 16_000), *, header_lies: bool = False) -> Path:
    """Write an MP4 of a few kB whose VP9 pictures claim to be huge; the container admits it, or says 160 x 120."""
    make_clip(path, duration_s=0.2, video_codec="libvpx-vp9", container="mp4")
    data = bytearray(path.read_bytes())
    claim = (size[0] - 1) << 16 | (size[1] - 1)
    key_frame = data.find(VP9_KEY_FRAME)
    while key_frame >= 0:
        # colour space and range fill 4 bits, then come 16 bits of width - 1 and 16 of height - 1
        at = slice(key_frame + 4, key_frame + 9)
        bits = int.from_bytes(data[at], "big")
        data[at] = (bits & ~(0xFFFFFFFF << 4) | claim << 4).to_bytes(5, "big")
        key_frame = data.find(VP9_KEY_FRAME, key_frame + 1)
    if not header_lies:
        entry = data.index(b"vp09", data.index(b"stsd"))
        data[entry + 28 : entry + 32] = size[0].to_bytes(2, "big") + size[1].to_bytes(2, "big")
    path.write_bytes(data)
    return path


def counter_picture(size: tuple[int, int], flashes_s: Sequence[float] = (), fps: float = 25.0) -> Picture:
    """Upper half: the frame's number as 2 x 8 black and white cells. Lower half: a moving ramp, white on a flash."""
    width, height = size

    def draw(index: int, time_s: float) -> NDArray[np.uint8]:
        picture = np.empty((height, width, 3), np.uint8)
        ramp = (np.arange(width) * 128 // width + index * 3) % 128 + 32
        picture[:] = ramp[None, :, None]
        for bit in range(COUNTER_BITS):
            rows, columns = _cell(bit, width, height)
            picture[rows, columns] = 235 if index >> bit & 1 else 16
        if any(time_s <= flash_s + 1e-9 < time_s + 1 / fps for flash_s in flashes_s):
            picture[height // 2 :] = 255
        return picture

    return draw


def one_scene(size: tuple[int, int]) -> Picture:
    """Coloured fields that stay: the counter changes half of the picture at once, as cuts do."""
    width, height = size
    fields = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    picture = np.kron(fields, np.ones((height // 4, width // 4, 1), np.uint8))
    return lambda _index, _time_s: picture


def read_counter(frame: av.VideoFrame) -> int:
    """Return the number drawn by `counter_picture` into an upright frame."""
    grey = frame.to_ndarray(format="gray")
    height, width = grey.shape
    number = 0
    for bit in range(COUNTER_BITS):
        rows, columns = _cell(bit, width, height)
        if grey[rows, columns].mean() > 125:
            number |= 1 << bit
    return number


def is_flash(frame: av.VideoFrame) -> bool:
    """Tell whether the lower half is white."""
    grey = frame.to_ndarray(format="gray")
    return bool(grey[grey.shape[0] // 2 + 4 :].mean() > 200)


def _cell(bit: int, width: int, height: int) -> tuple[slice, slice]:
    row, column = divmod(bit, 8)
    top, left = row * height // 4, column * width // 8
    return slice(top, (row + 1) * height // 4), slice(left, (column + 1) * width // 8)


def _regular(duration_s: float, fps: float | Fraction) -> list[float]:
    return [float(index / Fraction(fps)) for index in range(max(1, round(duration_s * fps)))]


def _tones(bursts: Sequence[Burst], duration_s: float, sample_rate: int) -> NDArray[np.float32]:
    sound = np.zeros(round(duration_s * sample_rate), np.float32)
    for burst in bursts:
        start = round(burst.start_s * sample_rate)
        clock_s = np.arange(round(burst.duration_s * sample_rate)) / sample_rate
        tone = burst.amplitude * np.cos(2 * np.pi * burst.frequency_hz * clock_s)
        sound[start : start + len(tone)] = tone[: len(sound) - start]
    return sound


def _video_stream(
    output: OutputContainer,
    codec: str,
    size: tuple[int, int],
    fps: float | Fraction,
    rotation: int,
    pix_fmt: str,
    options: dict[str, str],
) -> VideoStream:
    stream = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size if rotation % 180 == 0 else size[::-1]
    stream.pix_fmt = pix_fmt
    fine = codec not in ("mpeg4", "mpeg2video")  # these refuse a clock as fine as 1/90000
    stream.codec_context.time_base = Fraction(1, CLOCK_HZ) if fine else 1 / Fraction(fps).limit_denominator(1001)
    if rotation:
        stream.set_display_rotation(-rotation)
    return stream


def _add_cover(output: OutputContainer) -> None:
    cover = output.add_stream("mjpeg", rate=1, width=32, height=32, pix_fmt="yuvj420p")
    cover.disposition = av.stream.Disposition.attached_pic
    output.start_encoding()
    frame = av.VideoFrame(32, 32, "yuvj420p")
    frame.pts = 0
    for packet in [*cover.encode(frame), *cover.encode(None)]:
        output.mux(packet)


def _write_sound(
    output: OutputContainer,
    stream: AudioStream,
    sound: NDArray[np.float32],
    offset_s: float,
    gap_s: tuple[float, float] | None,
) -> None:
    sample_rate, channels = stream.codec_context.sample_rate, stream.codec_context.layout.nb_channels
    spread = np.zeros((channels, len(sound)), np.float32)
    spread[CENTRE_CHANNEL[channels]] = sound
    if channels == 2:
        spread[1] = sound
    offset = round(offset_s * sample_rate)
    packets = []
    for start in range(0, len(sound), AUDIO_BLOCK):
        block = np.ascontiguousarray(spread[:, start : start + AUDIO_BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.codec_context.layout.name)
        frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), start
        packets += stream.encode(frame)
    for packet in [*packets, *stream.encode(None)]:
        time_s = float(packet.pts * packet.time_base)
        if gap_s is not None and gap_s[0] <= time_s < gap_s[1]:
            continue
        shift = round(offset / sample_rate / packet.time_base)
        packet.pts += shift
        packet.dts += shift
        output.mux(packet)


def _write_pictures(
    output: OutputContainer,
    stream: VideoStream,
    draw: Picture,
    times_s: Sequence[float],
    fps: float | Fraction,
    rotation: int,
    offset_s: float,
) -> None:
    ends_s = [*times_s[1:], times_s[-1] + float(1 / Fraction(fps))]
    clock = 1 / stream.codec_context.time_base
    for index, (time_s, end_s) in enumerate(zip(times_s, ends_s, strict=True)):
        stored = np.ascontiguousarray(np.rot90(draw(index, time_s), rotation // 90))  # rot90 turns anticlockwise
        frame = av.VideoFrame.from_ndarray(stored, format="rgb24").reformat(format=stream.pix_fmt)
        frame.time_base = stream.codec_context.time_base
        frame.pts = round((time_s + offset_s) * clock)
        frame.duration = round((end_s - time_s) * clock)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
