"""What the probing child tells of a clip, and the limits it checks, before reading the clip and after."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from orchestrator.media.guard import picture_stream, sound_stream
from orchestrator.media.probe_rules import RATE_SLACK, Limits, Refused
from orchestrator.media.probe_scan import Track, check_whole, read_all

MAX_CHANNELS = 64
UNEVEN_SHARE = 0.05
"""Steps between pictures that differ by more than this share of the mean step make a variable frame rate."""


def describe(container: InputContainer, limits: Limits, size_bytes: int) -> dict[str, Any]:
    """Return the fields of `ClipInfo`. Raises `Refused` with the first rule that the clip breaks."""
    if len(container.streams) > limits.max_streams:
        raise Refused("clip-too-large", f"the clip has more than {limits.max_streams} tracks")
    picture, sound = picture_stream(container), sound_stream(container)
    if picture is None:
        if sound is None:
            raise Refused("not-a-video", "the file holds neither pictures nor sound that can be read")
        raise Refused("no-video-track", "the clip has no video track")
    if picture.codec_context is None:
        raise Refused("not-a-video", "the clip's video codec is not supported")
    _check_declared(container, picture, limits)
    if sound is None:
        raise Refused("no-audio-track", "the clip has no sound that could be dubbed")
    pictures, sounds = Track(picture), Track(sound)
    scan = read_all(container, pictures, sounds, limits)
    check_whole(container, pictures, scan)
    if not isinstance(pictures.first, av.VideoFrame) or not pictures.pts:
        raise Refused("empty-clip", "no picture of the clip can be decoded")
    if not isinstance(sounds.first, av.AudioFrame):
        raise Refused("no-audio-track", "the clip's sound cannot be decoded")
    start = pictures.first.pts if pictures.first.pts is not None else min(pictures.pts)
    timing = _timing(pictures, start)
    _check_measured(timing, pictures.first, sounds.first, limits)
    return {
        "container": container.format.name,
        "size_bytes": size_bytes,
        **timing,
        **_picture_facts(picture, pictures.first),
        **_sound_facts(sound, sounds.first, start * pictures.tick),
    }


def _check_declared(container: InputContainer, picture: VideoStream, limits: Limits) -> None:
    context = picture.codec_context
    if context.width * context.height > limits.max_pixels:
        raise Refused("clip-too-large", f"the picture ({context.width} x {context.height}) has too many pixels")
    if container.duration is not None and container.duration / av.time_base > limits.max_duration_s + 1:
        raise Refused("clip-too-large", _too_long(limits))


def _timing(pictures: Track, start: int) -> dict[str, Any]:
    """Duration, rate and evenness, from the pictures' own timestamps; `start` is the first decoded picture's."""
    stamps = sorted(pictures.pts)
    steps = [after - before for before, after in pairwise(stamps)]
    mean_step = Fraction(sum(steps), len(steps)) if steps else Fraction(0)
    last_step = pictures.last_duration or mean_step or 1 / (25 * pictures.tick)
    average = 1 / ((mean_step or last_step) * pictures.tick)
    tolerance = max(UNEVEN_SHARE * float(mean_step), 1.5)  # of rounding, a step may be one tick off its neighbour
    return {
        "duration_s": float((max(stamps[-1] - start, 0) + last_step) * pictures.tick),
        "frames_per_s": _nominal(pictures.stream, average, len(stamps)),
        "variable_frame_rate": any(abs(step - float(mean_step)) > tolerance for step in steps),
        "frame_count": len(stamps),
    }


def _nominal(stream: Stream, measured: Fraction, count: int) -> Fraction:
    """The container's own average rate when it agrees: timestamps in whole milliseconds blur 30000/1001."""
    stated = stream.average_rate
    if stated and abs(stated - measured) <= measured * max(0.01, 1.5 / count):
        return stated
    return measured.limit_denominator(1001)


def _check_measured(timing: dict[str, Any], picture: av.VideoFrame, sound: av.AudioFrame, limits: Limits) -> None:
    if timing["duration_s"] > limits.max_duration_s:
        raise Refused("clip-too-large", _too_long(limits))
    if timing["frames_per_s"] > limits.max_frames_per_s * RATE_SLACK:
        raise Refused("clip-too-large", f"the clip has more than {limits.max_frames_per_s:g} pictures per second")
    if picture.width * picture.height > limits.max_pixels:
        raise Refused("clip-too-large", f"the picture ({picture.width} x {picture.height}) has too many pixels")
    if sound.layout.nb_channels > MAX_CHANNELS:
        raise Refused("clip-too-large", f"the sound has more than {MAX_CHANNELS} channels")


def _picture_facts(stream: VideoStream, frame: av.VideoFrame) -> dict[str, Any]:
    return {
        "width": frame.width,
        "height": frame.height,
        "rotation_deg": round(-frame.rotation / 90) * 90 % 360,  # FFmpeg counts anticlockwise
        "sample_aspect_ratio": stream.sample_aspect_ratio or Fraction(1),
        "video_codec": stream.codec_context.codec.canonical_name,
    }


def _sound_facts(stream: AudioStream, frame: av.AudioFrame, picture_start_s: Fraction) -> dict[str, Any]:
    start_s = frame.pts * (stream.time_base or 0) if frame.pts is not None else picture_start_s
    return {
        "audio_codec": stream.codec_context.codec.canonical_name,
        "audio_sample_rate_hz": frame.sample_rate,
        "audio_channels": frame.layout.nb_channels,
        "audio_offset_s": float(start_s - picture_start_s),
    }


def _too_long(limits: Limits) -> str:
    return f"the clip is longer than {limits.max_duration_s:g} s"
