"""Gives a clip back without encoding: the file as it is, or its packets in an MP4."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream

from orchestrator.errors import ResultNotWritten
from orchestrator.media.clip import ClipInfo
from orchestrator.media.guard import picture_stream, sound_stream
from orchestrator.media.open import open_clip

MP4_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
TIMED_CONTAINERS = ("matroska", "mpegts", "flv")
"""Their packets have presentation times of their own (AVI's have not), so they can go into an MP4 as they are."""


def codecs_fit_mp4(clip: ClipInfo) -> bool:
    """Tell whether both tracks may stand in an MP4."""
    return clip.video_codec in MP4_VIDEO and clip.audio_codec in MP4_AUDIO


def is_mp4(clip: ClipInfo) -> bool:
    """Tell whether the clip is of the MP4 / QuickTime family."""
    return "mp4" in clip.container


def is_timed(clip: ClipInfo) -> bool:
    """Tell whether the packets can be taken over."""
    return any(name in clip.container for name in TIMED_CONTAINERS)


def part_of(target: Path) -> Path:
    """Name for a file that is not finished: hidden, unique, in the target's folder, so that a rename finishes it."""
    return target.with_name(f".{uuid.uuid4().hex}.part")


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a name to write to; the file appears at `target` when the block ends well, and nowhere when it does not."""
    part = part_of(target)
    try:
        yield part
        part.replace(target)
    except OSError as error:
        raise ResultNotWritten(f"the result cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy byte by byte. Raises `ResultNotWritten`."""
    with whole_file(target) as part:
        shutil.copyfile(source, part)


def remux(source: Path, target: Path, clip: ClipInfo) -> None:
    """Put the clip's picture and sound packets, untouched, into an MP4 that starts at 0 and is turned the same way.

    Raises `NotAVideo` when the source cannot be read on, `ResultNotWritten` when the target cannot be written.
    """
    flags = {"movflags": "+faststart"}
    with (
        open_clip(source, clip) as container,
        whole_file(target) as part,
        av.open(str(part.absolute()), "w", format="mp4", container_options=flags) as output,
    ):
        picture, sound = picture_stream(container), sound_stream(container)
        assert picture is not None and sound is not None, "the probe found both"
        track = output.add_stream_from_template(picture, opaque=True)
        if clip.rotation_deg:
            track.set_display_rotation(-clip.rotation_deg)  # FFmpeg counts anticlockwise
        tracks = {picture.index: track, sound.index: output.add_stream_from_template(sound, opaque=True)}
        start_s = (picture.start_time or 0) * (picture.time_base or Fraction(0))  # recordings start anywhere
        for packet in _with_decoding_times(container.demux(picture, sound), picture.index):
            if not packet.duration and packet.stream_index == picture.index:
                packet.duration = round(1 / (clip.frames_per_s * packet.time_base))  # else the last one would vanish
            output.mux(_moved(packet, tracks[packet.stream_index], start_s))


def _with_decoding_times(packets: "Iterator[Packet[Stream]]", picture_index: int) -> "Iterator[Packet[Stream]]":
    """Drop the empty packets of the end, and give the first pictures of a Matroska file the decoding times it lacks."""
    first: list[Packet[Stream]] = []
    waiting = True
    for packet in packets:
        if not packet.size:
            continue
        if waiting and packet.stream_index == picture_index:
            if packet.dts is None:
                first.append(packet)
                continue
            waiting = False
            yield from _timed(first, packet.dts)
        yield packet
    if waiting:
        yield from _timed(first, max((packet.pts or 0 for packet in first), default=0) + 1)


def _timed(packets: "list[Packet[Stream]]", next_dts: int) -> "list[Packet[Stream]]":
    """Give packets evenly falling decoding times before `next_dts`, none after its own presentation time."""
    for count, packet in enumerate(reversed(packets), start=1):
        packet.dts = min(next_dts - count * max(packet.duration or 0, 1), packet.pts or 0)
    return packets


def _moved(packet: "Packet[Stream]", track: Stream, start_s: Fraction) -> "Packet[Stream]":
    shift = round(start_s / packet.time_base)
    packet.dts = None if packet.dts is None else packet.dts - shift
    packet.pts = None if packet.pts is None else packet.pts - shift
    packet.stream = track
    return packet
