"""The child process that looks into an untrusted clip: `python -m orchestrator.media.probe_child PATH LIMITS`.

LIMITS is JSON (see `probe_rules.Limits`). One line of JSON comes back on stdout: `{"clip": {…}}`, or `{"refused": code,
"message": text}`. The process takes its own memory, time and file rights away before it touches the file. Imports are
few, so that it starts in about 0.15 s.
"""

import json
import math
import resource
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from orchestrator.media.probe_rules import Limits, Refused

OPEN_FILES = 16
_TOO_MANY_PIXELS = "exceeds specified max pixel count"
"""From FFmpeg's log: the only sign of a picture that is larger than its container says."""


def confine(limits: Limits) -> None:
    """Take away memory, processor time, and the right to write files; for the rest of this process."""
    cpu_s = math.ceil(limits.probe_timeout_s) + 1
    for what, limit in (
        (resource.RLIMIT_AS, limits.probe_memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def examine(path: Path, limits: Limits) -> dict[str, Any]:
    """Return the fields of `ClipInfo`, fractions as text. Raises `Refused`."""
    import av  # after `confine`: the limits hold for the libraries' start as well

    from orchestrator.media.boxes import is_cut
    from orchestrator.media.guard import guarded_open
    from orchestrator.media.probe_facts import describe

    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise Refused("empty-clip", "the file is empty")
    if size_bytes > limits.max_upload_bytes:
        raise Refused("clip-too-large", f"the file has more than {limits.max_upload_bytes} bytes")
    if is_cut(path):
        raise Refused("truncated-clip", "the file ends too early: a part of it is missing")
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture(local=False) as log:
        try:
            with guarded_open(path, limits.max_pixels) as container:
                return describe(container, limits, size_bytes)
        except av.error.MemoryError:
            raise
        except av.FFmpegError as error:
            raise Refused("not-a-video", "the file is not a video of a format that is accepted") from error
        except Refused as refused:
            if refused.code == "empty-clip" and any(_TOO_MANY_PIXELS in text for _, _, text in log):
                raise Refused("clip-too-large", "the picture has too many pixels") from refused
            raise


def main(arguments: list[str]) -> NoReturn:
    """Probe and print; exit status 0 when there is an answer, be it a refusal."""
    limits = Limits(**json.loads(arguments[1]))
    confine(limits)
    try:
        answer: dict[str, Any] = {"clip": examine(Path(arguments[0]), limits)}
    except Refused as refused:
        answer = {"refused": refused.code, "message": str(refused)}
    except MemoryError:  # also FFmpeg's own, which PyAV derives from it
        answer = {"refused": "probe-failed", "message": "the file needs too much memory to be read"}
    print(json.dumps(answer, default=_as_text))
    sys.exit(0)


def _as_text(value: object) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main(sys.argv[1:])
