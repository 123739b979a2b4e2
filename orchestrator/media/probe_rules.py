"""What a probe may use and what it refuses: shared by the two halves of the child process."""

from dataclasses import dataclass

RATE_SLACK = 1.01
"""Rates measured over a few pictures are a little off."""


class Refused(Exception):
    """The clip is refused: `code` is a slug of the error tree, the text is for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """The part of `MediaSettings` that a probe needs, under the same names and units."""

    max_upload_bytes: int
    max_duration_s: float
    max_pixels: int
    max_frames_per_s: float
    max_streams: int
    probe_timeout_s: float
    probe_memory_bytes: int
