"""pulled.json: where the checkpoint of a version came from and under which licence, beside the version's graphs."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from client.licences.manifest import PULLED
from export.install import write_file
from export.pull.puller import Pulled

_SCHEMA = 1


def write_record(version_folder: Path, pulled: Pulled) -> None:
    """Write the file as a whole; NotInstalled when the disk is full."""
    content = {
        "schema": _SCHEMA,
        "source": pulled.source,
        "commit": pulled.commit,
        "pulled_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {path: {"bytes": seen.size_bytes, "sha256": seen.sha256} for path, seen in pulled.files.items()},
        "licence": {**asdict(pulled.licence), "acceptance": _acceptance(pulled)},
    }
    write_file(version_folder / PULLED, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _acceptance(pulled: Pulled) -> str:
    """Nobody comes this far with a licence that was to be accepted and was not."""
    return "given by --accept-licence" if pulled.licence.needs_acceptance else "not needed"
