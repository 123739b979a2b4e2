"""The one place that opens untrusted media, with everything refused that is not needed.

Imports nothing of the project and little else, because the probing child starts with it. Callers outside the child use
`orchestrator.media.open`, which translates the errors.
"""

from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

ALLOWED_DEMUXERS = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpegts", "flv")
"""FFmpeg's demuxer names. Absent on purpose: everything that opens other files or sockets (hls, dash, concat, sdp,
image sequences): a playlist named `x.mp4` would read its neighbours."""

MAX_STREAMS_OPENED = 64
"""FFmpeg stops reading a header after so many streams; the clip's own limit is checked after opening."""

SIZE_SLACK = 128
"""Decoders allocate for sizes rounded up to their blocks: this many pixels a side are allowed above the limit."""

_NO_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails


def guarded_open(path: Path, max_pixels: int) -> InputContainer:
    """Open `path` for reading: allowed formats only, no protocol but plain files, no picture above `max_pixels`.

    Raises `av.FFmpegError` for anything that is not one of `ALLOWED_DEMUXERS`, whatever its name says.
    """
    # absolute: FFmpeg takes "a:b.mp4" for a protocol named "a"
    name = str(path.absolute())
    options = {
        "format_whitelist": ",".join(ALLOWED_DEMUXERS),
        "protocol_whitelist": "file",
        "max_streams": str(MAX_STREAMS_OPENED),
    }
    # PyAV's stub asks for strings here, its code takes one dictionary for each track
    limits: list[Any] = [decoder_limits(max_pixels) | {"threads": "1"}] * MAX_STREAMS_OPENED
    try:
        return av.open(name, "r", container_options=options, stream_options=limits, metadata_errors="replace")
    except ValueError as error:
        if isinstance(error, av.FFmpegError):
            raise
        # Formats without a header (mpegts, flv) know their streams only while they are read, so PyAV takes no options
        # for them; there the child's memory limit guards the opening, and `decoder_limits` all later decoding.
        return av.open(name, "r", container_options=options, metadata_errors="replace")


def decoder_limits(max_pixels: int) -> dict[str, str]:
    """Options that make a decoder refuse larger pictures before it allocates them."""
    side = int(max_pixels**0.5)
    return {"max_pixels": str(max_pixels + 2 * SIZE_SLACK * side + SIZE_SLACK**2)}


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the video track to work on: the default one, else the first. Cover art and thumbnails are none."""
    tracks = [stream for stream in container.streams.video if not stream.disposition & _NO_PICTURES]
    return next((stream for stream in tracks if _is_default(stream)), tracks[0] if tracks else None)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """Return the audio track to work on: the default one that FFmpeg can decode, else the first such."""
    tracks = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return next((stream for stream in tracks if _is_default(stream)), tracks[0] if tracks else None)


def _is_default(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.default) and stream.codec_context is not None
