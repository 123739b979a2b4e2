"""Pictures of a clip, upright and in 8-bit 4:2:0, as they are decoded."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from orchestrator.errors import EmptyClip, NoVideoTrack
from orchestrator.media.clip import ClipInfo
from orchestrator.media.guard import picture_stream
from orchestrator.media.open import decoded_frames, open_clip
from orchestrator.visual.planes import PLANAR_FORMATS, planes_of, tag_like

FORMAT = "yuv420p"
MIN_STEP_S = 0.001
"""Pictures with the same or an earlier timestamp are moved behind the one before by so much."""


def read_frames(path: Path, clip: ClipInfo) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Yield (index, time_s, frame) in presentation order; one frame is held at a time.

    `time_s` is relative to the first frame and strictly increasing. `frame` is upright yuv420p in the clip's displayed
    size; planes that were yuv420p before are the decoder's, bit for bit, and colour tags are kept.

    Raises:
        NotAVideo: FFmpeg cannot read on.
        NoVideoTrack, EmptyClip: there is nothing to yield.
    """
    index, last_s = -1, -MIN_STEP_S
    with open_clip(path, clip) as container:
        stream = picture_stream(container)
        if stream is None:
            raise NoVideoTrack("the clip has no video track")
        start: int | None = None
        for frame in decoded_frames(container, stream, clip):
            assert isinstance(frame, av.VideoFrame)
            if start is None:
                start = frame.pts or 0
            stamp_s = float((frame.pts - start) * stream.time_base) if frame.pts is not None and stream.time_base else 0
            index, last_s = index + 1, max(stamp_s, last_s + MIN_STEP_S)
            yield index, last_s, upright(planar(frame, clip.width, clip.height), clip.rotation_deg)
    if index < 0:
        raise EmptyClip("no picture of the clip can be decoded")


def planar(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """Return the frame as yuv420p of the given size; full-range video stays full-range, by its tag.

    Calls recorded by browsers change their size in mid-stream, hence the scaling. RGB becomes BT.709.
    """
    name = frame.format.name
    full_range = name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    if name == FORMAT and (frame.width, frame.height) == (width, height):
        return frame
    if name in PLANAR_FORMATS and (frame.width, frame.height) == (width, height):
        result = av.VideoFrame(width, height, FORMAT)
        for source, target in zip(planes_of(frame), planes_of(result), strict=True):
            np.copyto(target, source)
        tag_like(result, frame)
    elif frame.format.is_rgb:
        result = frame.reformat(
            width, height, FORMAT, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        tag_like(result, frame)
        result.colorspace = Colorspace.ITU709
        result.color_primaries, result.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        full_range = False
    else:
        kept = ColorRange.JPEG if full_range else ColorRange.MPEG
        result = frame.reformat(width, height, FORMAT, src_color_range=kept, dst_color_range=kept)
        tag_like(result, frame)
    if full_range or frame.format.is_rgb:
        result.color_range = ColorRange.JPEG if full_range else ColorRange.MPEG
    return result


def upright(frame: av.VideoFrame, rotation_deg: int) -> av.VideoFrame:
    """Turn a yuv420p frame clockwise by a multiple of 90 degrees, sample by sample; odd sizes keep every sample."""
    if rotation_deg == 0:
        return frame
    sideways = rotation_deg % 180 != 0
    turned = av.VideoFrame(*((frame.height, frame.width) if sideways else (frame.width, frame.height)), FORMAT)
    for source, target in zip(planes_of(frame), planes_of(turned), strict=True):
        np.copyto(target, np.rot90(source, -rotation_deg // 90))
    tag_like(turned, frame)
    return turned
