"""Guarded opening for all readers of clips, with PyAV's errors translated into the project's tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from orchestrator.errors import NotAVideo
from orchestrator.media.clip import ClipInfo
from orchestrator.media.guard import guarded_open

LARGEST_USUAL_PICTURE = 4096 * 2304
"""Pixels. Calls recorded by browsers change their picture's size in mid-stream, so a reader allows more than the size
that the clip begins with; whatever was probed is allowed in any case."""


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
