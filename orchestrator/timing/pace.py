"""How long a text takes to speak, before anybody has spoken it: so that the engine itself is asked for the speed.

An engine that speaks faster sounds better than its finished speech made faster. The estimate need not be exact: what it
misses is stretched (or stays a little fast), and the planner knows which speed was asked for.
"""

import re
import unicodedata

from client.contracts import SpeechPace
from orchestrator.settings import TimingSettings

LETTERS_PER_S = 15.5
"""For a language whose pace the engine does not state: the median of eight European languages of eSpeak NG."""
LETTERS_OF_A_DIGIT = 6
"""A digit is spoken as a word."""
LETTERS_OF_A_WIDE_CHARACTER = 3
"""A Chinese, Japanese or Korean character is a syllable or more."""
PAUSE_S = 0.25
"""At a punctuation mark inside the text."""
SPEED_STEP = 0.01
"""Speeds are asked for in whole hundredths: the estimate is worth no more."""

_INNER_PAUSE = re.compile(r"[,;:.?!…—–]+(?=\s+\S)|[、，；：。？！](?=\S)")


def estimated_s(text: str, language: str, pace: SpeechPace) -> float:
    """Return how many seconds an engine of this pace takes for `text` at its natural speed; 0 for no letters.

    Within 12 % for most sentences of four words or more (docs/TIMING.md); shorter ones take up to a quarter longer.
    """
    letters = sum(map(_letters, text))
    pauses = len(_INNER_PAUSE.findall(text.strip()))
    return letters / pace.letters_per_s.get(language, LETTERS_PER_S) + PAUSE_S * pauses


def speed_to_ask(text: str, language: str, slot_s: float, pace: SpeechPace, settings: TimingSettings) -> float:
    """Return the SPEED with which `text` should fill no more than `slot_s`: 1 to `preferred_max_rate`.

    1 when the engine does not state that it can speak faster, and never slower: a pause sounds better than a drawl.
    """
    if pace.speed_range is None or slot_s <= 0:
        return 1.0
    fastest = min(settings.preferred_max_rate, pace.speed_range[1])
    wanted = min(estimated_s(text, language, pace) / slot_s, fastest)
    return max(1.0, min(round(wanted / SPEED_STEP) * SPEED_STEP, fastest))


def _letters(character: str) -> int:
    if character.isdigit():
        return LETTERS_OF_A_DIGIT
    if not character.isalpha():
        return 0
    return LETTERS_OF_A_WIDE_CHARACTER if unicodedata.east_asian_width(character) in "WF" else 1
