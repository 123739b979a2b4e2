"""Subtitles as tracks of the result, which a player can switch on: MPEG-4 timed text (3GPP TS 26.245, "tx3g").

Sound and pictures are copied packet by packet, not encoded again. FFmpeg's encoder `mov_text` describes the track; its
samples are written here, because the encoder takes markup (SubStation Alpha) and text is never markup.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from client.language_codes import three_letters
from orchestrator.errors import ResultNotWritten
from orchestrator.media.remux import whole_file
from orchestrator.subtitles.cues import Cue

CLOCK = Fraction(1, 1000)
_LENGTH_BYTES = 2
"""A sample is the length of its text and the text, UTF-8."""
_OWN_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
"""FFmpeg writes them anew."""
_STYLE = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""White, at the bottom, centred: what every player does with a plain track."""


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """One language."""

    language: str
    """ISO 639-1."""
    cues: Sequence[Cue]
    """In order, without overlap."""


def add_subtitles(result: Path, tracks: Sequence[SubtitleTrack]) -> None:
    """Add tracks to a finished MP4 of ours, which is replaced when all is written; one without cues is left out.

    Raises:
        ResultNotWritten: the file cannot be read or written; it is as it was.
    """
    tracks = [track for track in tracks if track.cues]
    if not tracks:
        return
    flags = {"movflags": "+faststart"}
    try:
        with (
            av.open(str(result.absolute()), "r", format="mp4") as source,
            whole_file(result) as part,
            av.open(str(part.absolute()), "w", format="mp4", container_options=flags) as sink,
        ):
            sink.metadata.update({key: value for key, value in source.metadata.items() if key not in _OWN_TAGS})
            copies = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
            texts = sorted(
                (packet for track in tracks for packet in _packets(_text_stream(sink, track.language), track.cues)),
                key=lambda packet: packet.pts or 0,
            )
            for packet in _merged(_copied(source, copies), texts):
                sink.mux_one(packet)
    except av.FFmpegError as error:
        raise ResultNotWritten(f"subtitles cannot be added to the result: {error.strerror}") from error


def _text_stream(sink: av.container.OutputContainer, language: str) -> SubtitleStream:
    stream = sink.add_stream("mov_text")
    stream.codec_context.subtitle_header = _STYLE
    stream.codec_context.time_base = stream.time_base = CLOCK
    stream.metadata["language"] = three_letters(language)
    stream.codec_context.open()
    return stream


def _packets(stream: SubtitleStream, cues: Sequence[Cue]) -> "Iterator[Packet[Stream]]":
    """Yield a sample for each cue; FFmpeg itself writes the empty ones that end them."""
    for cue in cues:
        text = cue.text.encode()
        packet: Packet[Stream] = Packet(len(text).to_bytes(_LENGTH_BYTES, "big") + text)
        packet.stream, packet.time_base = stream, CLOCK
        packet.pts = packet.dts = cue.start_ms
        packet.duration = cue.end_ms - cue.start_ms
        yield packet


def _copied(source: av.container.InputContainer, copies: dict[int, Stream]) -> "Iterator[Packet[Stream]]":
    for packet in source.demux():
        if packet.size:
            packet.stream = copies[packet.stream_index]
            yield packet


def _merged(media: "Iterator[Packet[Stream]]", texts: "Sequence[Packet[Stream]]") -> "Iterator[Packet[Stream]]":
    """Yield both in the order of their decoding times."""
    waiting = 0
    for packet in media:
        at_s = (packet.dts or 0) * packet.time_base
        while waiting < len(texts) and (texts[waiting].dts or 0) * CLOCK <= at_s:
            yield texts[waiting]
            waiting += 1
        yield packet
    yield from texts[waiting:]
