"""The text fields of a request for a dub, checked before anything is asked of anybody."""

import hashlib
import json
import re
from dataclasses import dataclass, field

from client.contracts import Task
from orchestrator.background_choice import BackgroundChoice
from orchestrator.errors import BadRequest
from orchestrator.face_choice import FaceChoice
from orchestrator.glossary import parse_glossary
from orchestrator.store.artefacts import LANGUAGE_PATTERN

FIELDS = ("target_language", "source_language", "engines", "face", "background", "glossary", "webhook")
MODEL_PATTERN = r"[A-Za-z0-9_.-]{1,128}(@[1-9][0-9]{0,8})?"
"""A model, or one of its versions (client/pinned.py)."""
KEY_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class DubFields:
    """What is wanted."""

    target_language: str
    """ISO 639-1, lower case."""
    source_language: str
    """The same; "" when the request names none."""
    engines: dict[str, str]
    """Task -> Triton model, where another than the settings' is wanted."""
    webhook: str | None
    face: FaceChoice | None = None
    """Whose lips move; None: the one who speaks."""
    background: BackgroundChoice | None = None
    """What becomes of the source's sound; None: what the settings say."""
    glossary: dict[str, str] = field(default_factory=dict)
    """Term -> its translation."""

    def fingerprint(self, clip_sha256: str, transcript: bytes | None = None) -> str:
        """Return a SHA-256 (hexadecimal) over everything that makes two requests the same."""
        facts = [self.target_language, self.source_language, self.engines, self.webhook, clip_sha256]
        if self.face is not None:  # left out otherwise: keys of an earlier release stay good
            facts.append(str(self.face))
        if self.glossary:
            facts.append(self.glossary)
        if self.background is not None:
            facts.append(f"background {self.background}")
        if transcript is not None:
            facts.append(f"transcript {hashlib.sha256(transcript).hexdigest()}")
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def parse_fields(values: dict[str, str]) -> DubFields:
    """Check the fields of the form; an empty one counts as left out. Raises BadRequest, naming the field."""
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise BadRequest(f"unknown field {unknown[0]!r}; there are clip, transcript, {', '.join(FIELDS)}")
    if not values.get("target_language", "").strip():
        raise BadRequest("the field target_language is missing")
    return DubFields(
        target_language=_language(values, "target_language"),
        source_language=_language(values, "source_language"),
        engines=_engines(values.get("engines", "").strip()),
        webhook=values.get("webhook", "").strip() or None,
        face=FaceChoice.parse(values.get("face", "")),
        background=BackgroundChoice.parse(values.get("background", "")),
        glossary=parse_glossary(values.get("glossary", "")),
    )


def check_key(key: str | None) -> str | None:
    """Return the Idempotency-Key; raises BadRequest when it is empty, too long or not plain text."""
    if key is not None and not (0 < len(key) <= KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise BadRequest(f"an Idempotency-Key has 1 to {KEY_CHARACTERS} printable ASCII characters")
    return key


def _language(values: dict[str, str], field: str) -> str:
    code = values.get(field, "").strip().lower()
    if code and not re.fullmatch(LANGUAGE_PATTERN, code):
        raise BadRequest(f"{field}: {code!r} is no ISO 639-1 code such as en or es")
    return code


def _engines(text: str) -> dict[str, str]:
    try:
        engines = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"engines: not JSON ({error})") from error
    if not isinstance(engines, dict):
        raise BadRequest('engines: must be a JSON object such as {"stt": "stt_whisper"}')
    for task, model in engines.items():
        if task not in list(Task):
            raise BadRequest(f"engines: no task {task!r}; there are {', '.join(Task)}")
        if not isinstance(model, str) or not re.fullmatch(MODEL_PATTERN, model):
            raise BadRequest(f"engines: {model!r} is no model's name")
    return engines
