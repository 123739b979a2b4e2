"""Says why Triton does not know a model that it was told to load. Reads only the repository's folders."""

import re
from pathlib import Path

from client.exported import FAMILY_OF, export_command

_STEP = re.compile(r'\bmodel_name:\s*"([^"]+)"')


def why_absent(repository: Path, model: str) -> str:
    """Return the reason: the model, or a step of the ensemble that it is, is not there or has no version."""
    config = repository / model / "config.pbtxt"
    if not config.is_file():
        return "not in the model repository"
    steps = _STEP.findall(config.read_text(encoding="utf-8"))
    missing = [name for name in (model, *steps) if not has_version(repository / name)]
    if not missing:
        return "Triton does not know it, and does not say why; its log may"
    return "; ".join(f"{name} has no version{how_to_make(name)}" for name in dict.fromkeys(missing))


def has_version(folder: Path) -> bool:
    """Tell whether the model's folder holds a version."""
    return folder.is_dir() and any(each.name.isdecimal() and each.is_dir() for each in folder.iterdir())


def how_to_make(model: str) -> str:
    """Return ": run ..." for a model whose versions an export makes, "" for any other."""
    return f": {export_command(model)}" if model in FAMILY_OF else ""
