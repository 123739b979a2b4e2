"""What a caller may ask for, checked, and the text made harmless. Pure."""

import re
import unicodedata

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from numpy.typing import NDArray

SLOWEST, FASTEST = 0.5, 2.0

_PHONEMES_AHEAD = re.compile(r"\[(?=\[)")


def plain_text(text: str, max_text_chars: int) -> str:
    """Return one line that eSpeak takes as words alone; InvalidRequest when `text` is too long.

    Control characters (SOH begins a command of eSpeak's) and line breaks become spaces, and "[[", which begins
    phoneme codes, is broken up. XML is read as text, for eSpeak runs without its markup option.
    """
    if len(text) > max_text_chars:
        raise InvalidRequest(f"TEXT has {len(text)} characters, at most {max_text_chars} are taken")
    printable = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return _PHONEMES_AHEAD.sub("[ ", " ".join(printable.split()))


def checked_speed(speed: NDArray[np.float32]) -> float:
    """Return the only element of SPEED ([1]), in SLOWEST..FASTEST; anything else: InvalidRequest."""
    value = float(speed.reshape(-1)[0]) if speed.size == 1 else np.nan
    if not SLOWEST <= value <= FASTEST:
        raise InvalidRequest(f"SPEED must be one number in {SLOWEST}..{FASTEST}, got {speed.tolist()}")
    return value


def check_speaker_audio(audio: NDArray[np.float32]) -> None:
    """Refuse what every engine of the task refuses, though this one does not use it; empty is allowed."""
    require_finite(audio, "SPEAKER_AUDIO")
