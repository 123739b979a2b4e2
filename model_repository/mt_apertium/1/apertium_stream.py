"""Apertium's stream format: plain text in and out of a pipeline, so that no text can be taken for markup. Pure.

In the stream `[...]` is a blank that every program passes through, `^...$` a word under analysis, a backslash takes the
meaning off the next character, and NUL ends a request. Reference: https://wiki.apertium.org/wiki/Apertium_stream_format
"""

import re

_RESERVED = re.compile(r"([\[\]{}^$/\\@<>*#+|])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_TILDE, _TILDE_STAND_IN = "~", "\u223c"
"""The last program drops `~` even when escaped; U+223C TILDE OPERATOR passes and looks the same."""

_UNSAID_STOP = ".[]"
"""A full stop that the tagger sees and the reader does not: the stream's own way to say that a text ends here."""


class OutOfStep(Exception):
    """What came back is not the answer to what was sent."""


def to_stream(text: str, number: int) -> bytes:
    """Encode a text without NUL as request `number`: its number stands before and behind it as a blank."""
    escaped = _RESERVED.sub(r"\\\1", text.replace(_TILDE, _TILDE_STAND_IN))
    return f"[{number}]{escaped}{_UNSAID_STOP}[{number}]\0".encode()


def from_stream(answer: bytes, number: int) -> str:
    """Decode the answer to request `number`, up to and with its NUL; OutOfStep when it belongs to another."""
    before, behind = f"[{number}]".encode(), f"{_UNSAID_STOP}[{number}]\0".encode()
    body = answer.removeprefix(before).removesuffix(behind)
    if len(body) != len(answer) - len(before) - len(behind) or b"\0" in body:
        raise OutOfStep(f"expected the answer to request {number}, got {answer!r}")
    return _ESCAPED.sub(r"\1", body.decode("utf-8")).replace(_TILDE_STAND_IN, _TILDE)
