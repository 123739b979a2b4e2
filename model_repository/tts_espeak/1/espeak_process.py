"""Runs `espeak-ng` as a process of its own for each text: a crash stays there, and its GPL code outside our process."""

import os
import selectors
import subprocess
from collections.abc import Iterator

from engine_kit.processes import child_environment

_PROGRAM = "espeak-ng"

_AMPLITUDE = "80"
"""Of 200; eSpeak's default 100 peaks at 0.99 on some vowels. 80 gives speech at about -23 dBFS RMS, peaks at 0.8."""

_READ_BYTES = 8_192
_SILENT_FOR_S = 10.0
"""eSpeak makes a second of speech in about 1 ms; one that gives nothing for so long hangs."""


class EspeakFailed(Exception):
    """The program ended with an error, or hung."""


def installed_voices() -> set[str]:
    """Return the names that `-v` takes; FileNotFoundError when eSpeak NG is not installed."""
    listing = subprocess.run(  # noqa: S603
        [_PROGRAM, "--voices"],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=child_environment(),
    )
    return {line.split()[1] for line in listing.stdout.splitlines()[1:]}


def wave_stream(text: str, voice: str, words_per_minute: int) -> Iterator[bytes]:
    """Yield the WAV stream of a spoken text as eSpeak makes it; closing the iterator ends the program.

    The text goes in by stdin, so that none of it can be read as an option.
    """
    options = ["-v", voice, "-s", str(words_per_minute), "-a", _AMPLITUDE, "-z", "-b", "1", "--stdin", "--stdout"]
    process = subprocess.Popen(  # noqa: S603
        [_PROGRAM, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
    )
    with process:
        try:
            yield from _converse(process, text.encode("utf-8"))
            if process.wait(_SILENT_FOR_S):
                raise EspeakFailed(f"espeak-ng ended with status {process.returncode}")
        finally:
            process.kill()  # harmless when it has ended


def _converse(process: "subprocess.Popen[bytes]", text: bytes) -> Iterator[bytes]:
    try:
        process.stdin.write(text)  # eSpeak reads it all before it speaks: no deadlock
        process.stdin.close()
    except BrokenPipeError as error:
        raise EspeakFailed("espeak-ng ended before it took the text") from error
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(_SILENT_FOR_S):
                raise EspeakFailed(f"espeak-ng gave nothing for {_SILENT_FOR_S:g} s")
            piece = os.read(process.stdout.fileno(), _READ_BYTES)
            if not piece:
                return
            yield piece
