"""Text as XTTS-v2 takes it: checked and cut into pieces, each normalised as its language asks, and tokenised."""

from .xtts_text import XttsText

__all__ = ["XttsText"]
