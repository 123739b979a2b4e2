"""Looks into an untrusted clip, in a child process with limits on memory, time and files.

The child (probe_child.py) gets no environment, so no secret; its answer is taken only if it has exactly our fields.
"""

import json
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import msgspec

from orchestrator.errors import (
    ClipRefused,
    ClipTooLarge,
    EmptyClip,
    NoAudioTrack,
    NotAVideo,
    NoVideoTrack,
    ProbeFailed,
    TruncatedClip,
)
from orchestrator.media.clip import ClipInfo
from orchestrator.media.probe_rules import Limits
from orchestrator.settings import MediaSettings

_REFUSALS: dict[str, type[ClipRefused]] = {
    refusal.code: refusal
    for refusal in (NotAVideo, EmptyClip, TruncatedClip, NoAudioTrack, NoVideoTrack, ClipTooLarge, ProbeFailed)
}
_FROM_CHILD = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "orchestrator.media.probe_child")
"""Isolated: no environment variables, no current folder on the import path, no bytecode written."""


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What the child may print."""

    clip: ClipInfo | None = None
    refused: str = ""
    message: str = ""


def probe(path: Path, settings: MediaSettings) -> ClipInfo:
    """Return what is known of the clip at `path`, whatever its name says.

    Takes about 0.2 s and, for long files, the time to read them once. Raises a branch of `ClipRefused`, with a sentence
    for the user; `ProbeFailed` when the child ran into its limits; `FileNotFoundError` when there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    limits = {field.name: getattr(settings, field.name) for field in fields(Limits)}
    try:
        child = subprocess.run(  # noqa: S603  # no shell, and the file's name is one argument
            [*_FROM_CHILD, str(path.absolute()), json.dumps(limits)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=settings.probe_timeout_s,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeFailed("the file takes too long to be read") from error
    if child.returncode != 0:
        raise ProbeFailed("the file cannot be read safely") from _ChildEnded(child)
    return _answer(child.stdout)


class _ChildEnded(Exception):
    """How the child ended, for the log: the status and the end of what it wrote."""

    def __init__(self, child: "subprocess.CompletedProcess[bytes]") -> None:
        super().__init__(f"status {child.returncode}: {child.stderr[-500:].decode(errors='replace')}")


def _answer(printed: bytes) -> ClipInfo:
    try:
        answer = msgspec.json.decode(printed, type=_Answer, dec_hook=_fraction)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ProbeFailed("the file cannot be read safely") from error
    if answer.clip is None:
        raise _REFUSALS.get(answer.refused, ProbeFailed)(answer.message)
    return answer.clip


def _fraction(kind: type, value: str) -> Fraction:
    """Read the one type that JSON and msgspec lack."""
    if kind is not Fraction:
        raise NotImplementedError(kind)
    return Fraction(value)
