"""manifest.json of a bundle: what a version was made of and how well it does, graph by graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from export.bundle.family import BundleFamily
from export.bundle.graph import Graph
from export.bundle.measure import GateRecord
from export.bundle.published import Published
from export.checkpoint import sha256_of
from export.manifest import SCHEMA, tools
from export.onnx_file import OPSET


@dataclass(frozen=True)
class Facts:
    """What the exporter knows when it is done."""

    model: str
    precision: str
    formats: Mapping[str, Mapping[str, str]]
    """Role -> what its weights and activations are in."""
    graphs: tuple[Graph, ...]
    records: tuple[GateRecord, ...]


def manifest(family: BundleFamily, published: Published, facts: Facts, folder: Path) -> dict[str, object]:
    """Put together everything that somebody who finds the version needs to know; plain JSON types.

    `folder` has every other file of the version already: each is listed with its size and hash.
    """
    return {
        "schema": SCHEMA,
        "family": family.name,
        "model": facts.model,
        "precision": facts.precision,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "checkpoint": {"file_name": published.name, "sha256": published.sha256},
        "licence": family.licence,
        "source": family.source,
        "opset": OPSET,
        "signature": {graph.role: graph.as_json() for graph in facts.graphs},
        "formats": {role: dict(formats) for role, formats in facts.formats.items()},
        "checked_with": {"provider": "CPUExecutionProvider"},
        "parity": [record.as_json() for record in facts.records],
        "files": {path.name: _file(path) for path in sorted(folder.iterdir())},
        "tools": tools(),
    }


def _file(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
