"""The request's `face`: whose lips are to move, in words that travel through forms, messages and the store."""

import math
import re
from dataclasses import dataclass

from orchestrator.errors import BadRequest
from orchestrator.media.clip import ClipInfo

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the upright picture."""

MAX_TRACK = 999_999
_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_TRACK = re.compile(r"[1-9]\d{0,5}")
_BOX = re.compile(rf"({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})(?:@({_NUMBER}))?")
_FORMS = 'write a track\'s number ("2"), a box "x1,y1,x2,y2" in pixels, or a box and a time in seconds ("…@12.5")'


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """A track by its number, or a box: at every time the face that overlaps it most, or the face there at `at_s`."""

    track: int | None = None
    box: Box | None = None
    at_s: float | None = None

    @classmethod
    def parse(cls, text: str) -> "FaceChoice | None":
        """Read the field; None when it is empty: then the speaker is found. Raises BadRequest."""
        text = re.sub(r"\s+", "", text)
        if not text:
            return None
        if _TRACK.fullmatch(text):
            return cls(track=int(text))
        match = _BOX.fullmatch(text)
        if match is None:
            raise BadRequest(f"face: cannot read {text[:80]!r}; {_FORMS}")
        x1, y1, x2, y2 = (float(number) for number in match.groups()[:4])
        if x1 >= x2 or y1 >= y2:
            raise BadRequest("face: a box needs x1 < x2 and y1 < y2")
        at = match.group(5)
        return cls(box=(x1, y1, x2, y2), at_s=None if at is None else float(at))

    def __str__(self) -> str:
        if self.box is None:
            return str(self.track)
        box = ",".join(f"{edge:.12g}" for edge in self.box)
        return box if self.at_s is None else f"{box}@{self.at_s:.12g}"

    def check(self, clip: ClipInfo) -> None:
        """Raise BadRequest for a box whose middle lies outside the upright picture, or a time behind the clip's end."""
        if self.box is not None:
            width, height = (clip.height, clip.width) if clip.rotation_deg % 180 else (clip.width, clip.height)
            x1, y1, x2, y2 = self.box
            if (x1 + x2) / 2 >= width or (y1 + y2) / 2 >= height:
                raise BadRequest(f"face: the box lies outside the picture, which has {width} x {height} pixels")
        if self.at_s is not None and self.at_s > clip.duration_s:
            raise BadRequest(f"face: {self.at_s:g} s is behind the end of the clip ({math.floor(clip.duration_s)} s)")
