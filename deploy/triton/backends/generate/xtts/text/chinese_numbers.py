"""A number in figures as Chinese words. Pure.

Forms: coqui-tts 0.28, TTS/tts/layers/xtts/zh_num2words.py, `num2chn`, from chn_text_norm.
"""

from __future__ import annotations

FIGURES = "零一二三四五六七八九"
_UNITS = (
    *((44, "载"), (40, "正"), (36, "涧"), (32, "沟"), (28, "穰"), (24, "秭"), (20, "垓"), (16, "京"), (12, "兆")),
    *((8, "亿"), (4, "万"), (3, "千"), (2, "百"), (1, "十")),
)
"""Powers of ten that have a word, the greatest first."""
_POINT = "点"


def cardinal(number: str) -> str:
    """Say a number, with or without decimals after ".": "2010.5" is 两千零一十点五."""
    whole, point, decimals = number.partition(".")
    said = _whole(whole) or "零"
    return said + (_POINT + one_by_one(decimals) if point else "")


def one_by_one(figures: str) -> str:
    """Say figures one by one; what is none is left out."""
    return "".join(FIGURES[int(figure)] for figure in figures if figure.isdecimal())


def _whole(figures: str) -> str:
    if len(figures) == 1 or not figures.strip("0"):
        return one_by_one(figures)
    said = _liang(_symbols(figures))
    return said[1:] if said.startswith("一十") else said


def _symbols(figures: str) -> str:
    """Figures and units; a zero stands for one or more that are left out between two that are said."""
    digits = figures.lstrip("0")
    if not digits:
        return ""
    if len(digits) == 1:
        return ("零" if len(figures) > 1 else "") + FIGURES[int(digits)]
    power, unit = next(found for found in _UNITS if found[0] < len(digits))
    return _symbols(figures[:-power]) + unit + _symbols(digits[-power:])


def _liang(symbols: str) -> str:
    """Two is 两 before a unit, if not before or after ten: 两千, but 二十 and 十二万."""
    said = list(symbols)
    for place, symbol in enumerate(symbols):
        before, after = symbols[place - 1 : place], symbols[place + 1 : place + 2]
        if symbol == "二" and after not in (*FIGURES, "十", "") and before not in (*FIGURES, "十"):
            said[place] = "两"
    return "".join(said)
