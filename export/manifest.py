"""manifest.json: what a version was made of and how well it does, beside its graph."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import onnxruntime

from export.checkpoint import Checkpoint
from export.family import Family
from export.onnx_file import OPSET, TOOLS
from export.parity import Parity

FILE_NAME = "manifest.json"
SCHEMA = 1

PRECISION_KEY = "polylip.precision"
FAMILY_KEY = "polylip.family"
CHECKPOINT_KEY = "polylip.checkpoint_sha256"
"""Keys in the metadata_props of every exported ONNX file."""


def metadata(family: str, checkpoint_sha256: str, precision: str) -> dict[str, str]:
    """Return what the graph itself says about where it comes from; `family` and `precision` by their names."""
    return {PRECISION_KEY: precision, FAMILY_KEY: family, CHECKPOINT_KEY: checkpoint_sha256}


def manifest(
    family: Family, checkpoint: Checkpoint, precision: str, execution: Mapping[str, str], parities: Sequence[Parity]
) -> dict[str, object]:
    """Put together everything that somebody who finds the version needs to know; plain JSON types."""
    return {
        "schema": SCHEMA,
        "family": family.name,
        "model": family.triton_model,
        "precision": precision,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "checkpoint": {"file_name": checkpoint.file_name, "sha256": checkpoint.sha256},
        "licence": family.licence,
        "source": family.source,
        "opset": OPSET,
        "signature": family.signature.as_json(),
        "checked_with": dict(execution),
        "parity": [each.as_json() for each in parities],
        "tools": tools(),
    }


def tools() -> dict[str, str]:
    """Return the versions of everything that had a hand in it."""
    return {
        "polylip": _own_version(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        **TOOLS,
    }


def write_manifest(folder: Path, content: Mapping[str, object]) -> None:
    """Write the file."""
    (folder / FILE_NAME).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _own_version() -> str:
    try:
        return version("polylip")
    except PackageNotFoundError:  # the checkout used as it lies, as in Triton's container
        return "not installed"
