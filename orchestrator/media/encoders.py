"""How the result is encoded: H.264 and AAC, with the source's size, rate, aspect and evenness."""

from fractions import Fraction

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from orchestrator.media.clip import ClipInfo
from orchestrator.media.video import FORMAT
from orchestrator.settings import MediaSettings

CLOCK_HZ = 90_000
"""Time base of the pictures: exact for 24, 25, 30, 30000/1001, 50 and 60 per second and for whole milliseconds."""
ODD_FORMAT = "yuv444p"
"""4:2:0 H.264 has only even sizes (its cropping, too, counts in chroma samples): odd ones are coded as 4:4:4."""


def add_pictures(container: OutputContainer, clip: ClipInfo, settings: MediaSettings) -> VideoStream:
    """Add an H.264 track for upright pictures of the clip's displayed size."""
    sideways = clip.rotation_deg % 180 != 0
    width, height = (clip.height, clip.width) if sideways else (clip.width, clip.height)
    options = {"crf": str(settings.video_crf), "preset": settings.video_preset}
    if not _is_even(clip):
        # MP4 keeps durations in decoding order: with B-frames those of uneven pictures would be blurred
        options["bf"] = "0"
    stream = container.add_stream("libx264", rate=clip.frames_per_s, options=options)
    context = stream.codec_context
    context.width, context.height = width, height
    context.pix_fmt = FORMAT if width % 2 == 0 and height % 2 == 0 else ODD_FORMAT
    context.time_base = Fraction(1, CLOCK_HZ)
    ratio = clip.sample_aspect_ratio
    context.sample_aspect_ratio = 1 / ratio if sideways else ratio
    return stream


def add_sound(container: OutputContainer, settings: MediaSettings, layout: str) -> AudioStream:
    """Add an AAC track. FFmpeg tells MP4 of the encoder's first, empty 1024 samples, so that players skip them."""
    stream = container.add_stream("aac", rate=settings.output_sample_rate_hz, layout=layout)
    stream.codec_context.bit_rate = settings.audio_bit_rate
    return stream


def _is_even(clip: ClipInfo) -> bool:
    """Tell whether all pictures, the last included, last equally long."""
    missing_s = abs(clip.duration_s - float(clip.frame_count / clip.frames_per_s))
    return not clip.variable_frame_rate and missing_s * clip.frames_per_s < 0.5
