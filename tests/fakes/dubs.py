"""Dubs for tests of whatever stands on the job store."""

import uuid
from typing import Any

from orchestrator.store.schema import NewDub


def new_dub(**changes: Any) -> NewDub:
    """A dub as the gateway would accept it, English to Spanish."""
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "source_language": "en",
        "target_language": "es",
        "engines": {},
        "clip_name": "clip.mp4",
        "clip": {"duration_s": 1.0},
        "fingerprint": "f" * 64,
    }
    return NewDub(**(values | changes))
