"""The family `xtts`: speech in the voice of a given speaker, streamed as it is made (XTTS-v2). docs/VOICES.md.

Pure parts, each with its own tests: text (what is said, as token ids), sound (what the two encoders hear), interp and
vocoder (latents to samples, chunk by chunk), guard (how long a text may take), joined (pieces to one stream), section
and options. voice remembers speakers; front_end serves requests.
"""

from .front_end import open_front_end

__all__ = ["open_front_end"]
