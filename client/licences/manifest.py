"""The licence of a model as it serves: what its version says of itself, else what is known of its name."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from client.licences.known import Licence, licence_by_identifier, not_stated
from client.licences.served import known_of

PULLED = "pulled.json"
"""Beside a version's graphs: where `polylip models pull` had its checkpoint from, and under which licence."""
EXPORTED = "manifest.json"
"""Beside a version's graphs: what `polylip models export` made it of."""


@dataclass(frozen=True)
class ModelLicence:
    """One line of the licence manifest."""

    model: str
    version: str
    licence: Licence
    source: str
    """Who made it, and where it comes from; "" where nobody says."""


def licence_of(model: str, version: str = "", repository: Path | None = None) -> ModelLicence:
    """Return the licence of a model.

    `repository`: Triton's model repository, if it is at hand here; then the files beside a version have the first word:
    where its checkpoint was pulled from and which licence that repository states. Without it, or for a version that
    says nothing, the model's name decides; a name that is not known here has no stated licence.
    """
    known = known_of(model)
    found = ModelLicence(
        model,
        version,
        licence_by_identifier(known.licence) if known else not_stated(),
        known.source if known else "",
    )
    if repository is None or not version:
        return found
    folder = repository / model / version
    pulled, exported = _read(folder / PULLED), _read(folder / EXPORTED)
    if isinstance(exported.get("source"), str):
        found = replace(found, source=exported["source"])
    if known is None and isinstance(exported.get("licence"), str):
        found = replace(found, licence=replace(not_stated(), name=exported["licence"]))
    return _as_pulled(found, pulled)


def _as_pulled(found: ModelLicence, pulled: dict[str, Any]) -> ModelLicence:
    stated = pulled.get("licence")
    if not isinstance(stated, dict) or not isinstance(stated.get("identifier"), str):
        return found
    licence = licence_by_identifier(stated["identifier"])
    origin = pulled.get("source")
    return replace(found, licence=licence, source=origin if isinstance(origin, str) else found.source)


def _read(path: Path) -> dict[str, Any]:
    """Return the file's object; nothing when there is none, or none that can be read: the model's name decides then."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
