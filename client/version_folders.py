"""Versions of a model as they lie on disk."""

from pathlib import Path


def versions(model_folder: Path) -> list[int]:
    """Return the versions there are, as Triton counts: folders whose names are numbers."""
    if not model_folder.is_dir():
        return []
    return sorted(int(each.name) for each in model_folder.iterdir() if each.name.isdecimal() and each.is_dir())
