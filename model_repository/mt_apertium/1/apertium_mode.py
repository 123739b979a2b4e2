"""From an Apertium mode file (a shell pipeline) to the programs that it names. Pure."""

import shlex

_MARKS, _TAGGER_OPTION = "$1", "$2"
"""What the shell pipeline leaves open: how to print unknown words, and whether the tagger shows its work."""

_NO_MARKS = "-n"
"""Print an unknown word as it is, without the star that marks it."""

_FLUSH_AT_NUL = "-z"
"""Answer at every NUL, so that one pipeline serves many requests."""


def pipeline_commands(mode: str) -> list[list[str]]:
    """Return the argument lists of a mode file's programs, in order, made to serve request after request.

    The programs are started without a shell. ValueError: the file names none.
    """
    lines = [line for line in mode.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise ValueError(f"a mode file holds one pipeline, this one {len(lines)}")
    return [_command(part) for part in lines[0].split("|")]


def _command(part: str) -> list[str]:
    program, *arguments = shlex.split(part)
    options = [_NO_MARKS if argument == _MARKS else argument for argument in arguments if argument != _TAGGER_OPTION]
    return [program, _FLUSH_AT_NUL, *options]
