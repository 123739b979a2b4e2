"""Japanese in Latin letters, as cutlet writes it with MeCab and UniDic: what XTTS-v2 was trained on.

Figures and Latin words stay as they are, as in the original. Signs of money become words: cutlet drops them.
"""

from __future__ import annotations

import re
import threading

from cutlet import Cutlet

_MONEY = {"¥": "円", "￥": "円", "€": "ユーロ", "£": "ポンド", "$": "ドル"}
_MONEY_BEFORE = re.compile(r"([¥￥€£$]) ?([0-9][0-9,.]*(?<=[0-9]))")
_MONEY_BEHIND = re.compile(r"(?<=[0-9])[¥￥€£$]")


class Romaji:
    """One dictionary, used by one thread at a time. RuntimeError when UniDic is not installed."""

    def __init__(self) -> None:
        self._cutlet = Cutlet()
        self._lock = threading.Lock()

    def write(self, text: str) -> str:
        """Return the text in Latin letters; "?" for what has no reading."""
        text = _MONEY_BEFORE.sub(lambda found: found[2] + _MONEY[found[1]], text)
        text = _MONEY_BEHIND.sub(lambda found: _MONEY[found[0]], text)
        with self._lock:
            return self._romaji(text)

    def _romaji(self, text: str) -> str:
        """Write a text; where cutlet fails on it (KeyError and others, on rare marks), its halves, at last nothing."""
        try:
            return str(self._cutlet.romaji(text))
        except Exception:
            if len(text) == 1:
                return ""
            half = len(text) // 2
            return f"{self._romaji(text[:half])} {self._romaji(text[half:])}".strip()
