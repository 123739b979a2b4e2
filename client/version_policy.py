"""The `version_policy` of a config.pbtxt: which versions Triton loads. Comments and layout of the file stay."""

import re
from collections.abc import Sequence
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from client.errors import ContractViolation

_FIELD = re.compile(r"^[ \t]*version_policy\s*:?\s*\{", re.MULTILINE)
_NOTE = "  # the versions served, as `polylip models swap` chose them\n"


def stated_versions(path: Path) -> tuple[int, ...] | None:
    """Return the versions that the file names; None: it leaves the choice to Triton. ContractViolation: unreadable."""
    config = _parsed(path, path.read_text("utf-8"))
    if not config.version_policy.HasField("specific"):
        return None
    return tuple(config.version_policy.specific.versions)


def with_versions(path: Path, versions: Sequence[int]) -> str:
    """Return the file's text with a policy of exactly these versions. ContractViolation: it cannot be read."""
    text = path.read_text("utf-8")
    _parsed(path, text)
    listed = ", ".join(map(str, sorted(versions)))
    changed = f"{_without_policy(text).rstrip()}\n\nversion_policy {{ specific {{ versions: [ {listed} ] }} }}{_NOTE}"
    if tuple(_parsed(path, changed).version_policy.specific.versions) != tuple(sorted(versions)):
        raise ContractViolation(path.parent.name, f"the version_policy of {path.name} cannot be set")
    return changed


def candidate_config(path: Path, name: str, version: int) -> str:
    """Return the configuration under another model's name, with this one version."""
    config = _parsed(path, path.read_text("utf-8"))
    config.name = name
    config.version_policy.specific.versions[:] = [version]
    return str(text_format.MessageToString(config))


def steps_of(path: Path) -> tuple[str, ...]:
    """Return the models that an ensemble is made of, in order; none for any other model."""
    config = _parsed(path, path.read_text("utf-8"))
    return tuple(dict.fromkeys(step.model_name for step in config.ensemble_scheduling.step))


def _without_policy(text: str) -> str:
    found = _FIELD.search(text)
    if found is None:
        return text
    depth, at = 1, found.end()
    while depth and at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    line_end = text.find("\n", at)
    rest = text[at:] if line_end < 0 else text[at:line_end]
    if not rest.strip() or rest.strip().startswith("#"):  # our own note, or the user's, on the same line
        at = len(text) if line_end < 0 else line_end + 1
    return text[: found.start()] + text[at:]


def _parsed(path: Path, text: str) -> model_config_pb2.ModelConfig:
    try:
        return text_format.Parse(text, model_config_pb2.ModelConfig())
    except text_format.ParseError as error:
        raise ContractViolation(path.parent.name, f"{path.name} cannot be read: {error}") from error
