"""A clip of any length: the packets of a short one, again and again."""

from fractions import Fraction
from pathlib import Path

import av


def loop_clip(source: Path, target: Path, seconds: float) -> None:
    """Repeat `source` until `target` is at least `seconds` long; nothing is encoded anew."""
    with av.open(str(target), "w", format="mp4") as output:
        outputs: dict[str, av.stream.Stream] = {}
        shift = Fraction(0)
        while shift < seconds:
            with av.open(str(source)) as clip:
                inputs = (clip.streams.video[0], clip.streams.audio[0])
                for stream in inputs:  # both before the first packet: the header names them
                    if stream.type not in outputs:
                        outputs[stream.type] = output.add_stream_from_template(stream)
                period = Fraction(inputs[0].duration) * inputs[0].time_base
                for packet in clip.demux(inputs):
                    if packet.dts is None or packet.pts * packet.time_base >= period:
                        continue
                    if packet.pts < 0 and shift:  # the encoder's priming belongs to the first round only
                        continue
                    offset = round(shift / packet.time_base)
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = outputs[packet.stream.type]
                    output.mux(packet)
            shift += period
