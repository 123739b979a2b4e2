"""Reads a whole clip packet by packet, decoding only the first picture and the first sound.

Runs in the probing child: imports neither numpy nor the error tree.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import InputContainer
from av.frame import Frame
from av.packet import Packet
from av.stream import Stream

from orchestrator.media.guard import decoder_limits
from orchestrator.media.probe_rules import RATE_SLACK, Limits, Refused

MISSING_S = 0.25
"""A container that promises this much more than it holds was cut."""
MISSING_SHARE = 0.02
"""The same for containers that promise a number of pictures."""


@dataclass
class Track:
    """One track while its packets go by."""

    stream: Stream
    first: Frame | None = None
    """The first decoded frame."""
    pts: list[int] = field(default_factory=list)
    """Of the pictures, in the order of the file."""
    last_pts: int = -(2**63)
    last_duration: int = 0
    """Of the packet at `last_pts`, in ticks; 0 when the container does not say."""

    def add(self, packet: "Packet[Stream]", *, keep_pts: bool) -> None:
        """Count a packet, and decode until the first frame is out."""
        if self.first is None:
            self.first = _decoded(packet)
        pts = packet.pts if packet.pts is not None else packet.dts
        if not packet.size or packet.is_discard or pts is None:
            return
        if keep_pts:
            self.pts.append(pts)
        if pts >= self.last_pts:
            self.last_pts, self.last_duration = pts, packet.duration or 0

    @property
    def tick(self) -> Fraction:
        """Seconds."""
        return self.stream.time_base or Fraction(1, 1000)


@dataclass
class Scan:
    """What was seen of the whole file."""

    end_s: float = 0.0
    damaged: bool = False


def read_all(container: InputContainer, pictures: Track, sounds: Track, limits: Limits) -> Scan:
    """Feed every packet to its track. Raises `Refused` when there are too many, or the file breaks off in a fault."""
    for track in (pictures, sounds):
        track.stream.codec_context.options = decoder_limits(limits.max_pixels)
        track.stream.codec_context.thread_count = 1
    most_pictures = limits.max_duration_s * limits.max_frames_per_s * RATE_SLACK + 1
    scan = Scan()
    try:
        for packet in container.demux():
            if packet.stream is pictures.stream:
                pictures.add(packet, keep_pts=True)
            elif packet.stream is sounds.stream:
                sounds.add(packet, keep_pts=False)
            if len(pictures.pts) > most_pictures:
                raise Refused("clip-too-large", "the clip has too many pictures")
            scan.damaged |= packet.is_corrupt
            if packet.pts is not None:
                scan.end_s = max(scan.end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        raise Refused("not-a-video", "the file is damaged and cannot be read to its end") from error
    return scan


def check_whole(container: InputContainer, pictures: Track, scan: Scan) -> None:
    """Compare what the container promises with what was read. MP4's boxes were checked before (boxes.py)."""
    name = container.format.name
    if name == "avi":
        promised, found = pictures.stream.frames, len(pictures.pts)
        cut = promised > found + max(2, MISSING_SHARE * promised)
    elif "matroska" in name or name == "flv":
        start_s = (container.start_time or 0) / av.time_base
        cut = container.duration is not None and container.duration / av.time_base + start_s > scan.end_s + MISSING_S
    else:
        cut = scan.damaged and "mov" in name  # a broadcast recording (mpegts) may well have a damaged packet
    if cut:
        raise Refused("truncated-clip", "the file ends too early: a part of it is missing")


def _decoded(packet: "Packet[Stream]") -> Frame | None:
    """The first frame that comes out of a packet; None when none does, or the packet is damaged."""
    try:
        for frame in packet.decode():
            if isinstance(frame, Frame):
                return frame
    except av.error.MemoryError:
        raise
    except av.FFmpegError:
        pass
    return None
