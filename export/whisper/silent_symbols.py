"""Tokens that are not speech: brackets, notes, speaker marks. Whisper learnt them from subtitles; it shall write none.

The symbols are those of openai-whisper (tokenizer.py, `non_speech_tokens`); folders have the resulting list in
generation_config.json, openai's files do not.
"""

from collections.abc import Callable

_SINGLE = '"#()*+/:;<=>@[\\]^_`{|}~「」『』'
_GROUPS = (
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    '("',
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
)
_NOTES = "♩♪♫♬♭♮♯"
_GROUPS_OF_NOTES = ("♪♪", "♪♪♪")


def non_speech_tokens(encode: Callable[[str], list[int]]) -> list[int]:
    """Return the tokens by means of the vocabulary's encoder.

    A symbol counts when it is one token, alone or after a blank; of the notes, which may be several bytes, the first
    token does. Hyphen and apostrophe may stand within a text, but not begin a word.
    """
    found = {encode(" -")[0], encode(" '")[0]}
    for symbol in (*_SINGLE, *_GROUPS, *_GROUPS_OF_NOTES):
        found.update(ids[0] for ids in (encode(symbol), encode(f" {symbol}")) if len(ids) == 1)
    for note in _NOTES:
        found.update((encode(note)[0], encode(f" {note}")[0]))
    return sorted(found)
