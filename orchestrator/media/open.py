"""Guarded opening for all readers of clips, with PyAV's errors translated into the project's tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.frame import Frame
from av.video.stream import VideoStream

from orchestrator.errors import NotAVideo
from orchestrator.media.clip import ClipInfo
from orchestrator.media.guard import decoder_limits, guarded_open

LARGEST_USUAL_PICTURE = 4096 * 2304
"""Pixels. Calls recorded by browsers change their picture's size in mid-stream, so a reader allows more than the size
that the clip begins with; whatever was probed is allowed in any case."""

DECODER_THREADS = 2
"""Each costs a few frames of memory."""


@contextmanager
def open_clip(path: Path, clip: ClipInfo | None = None) -> Iterator[InputContainer]:
    """Open a clip that was probed (or is about to be read for the first time, without `clip`).

    Raises `NotAVideo` when FFmpeg cannot go on, there or anywhere inside the `with` block.
    """
    try:
        with guarded_open(path, pixel_limit(clip)) as container:
            yield container
    except (av.error.FileNotFoundError, av.error.PermissionError):
        raise  # a fault of ours, not of the clip
    except av.FFmpegError as error:
        raise NotAVideo(f"the clip cannot be read: {error.strerror}") from error


def pixel_limit(clip: ClipInfo | None) -> int:
    """Pixels that a picture of this clip may have."""
    return max(LARGEST_USUAL_PICTURE, clip.width * clip.height if clip else 0)


def decoded_frames(container: InputContainer, stream: AudioStream | VideoStream, clip: ClipInfo) -> Iterator[Frame]:
    """Decode one track in presentation order, passing over packets that are damaged."""
    context = stream.codec_context
    context.options = decoder_limits(pixel_limit(clip))
    if isinstance(stream, VideoStream):
        context.thread_type = "AUTO"
        context.thread_count = DECODER_THREADS
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            continue  # the next key frame mends it; the timestamps show the hole
        yield from (frame for frame in frames if isinstance(frame, Frame))
