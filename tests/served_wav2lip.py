"""Wav2Lip in a private model repository, from checkpoints that were made up."""

import shutil
from pathlib import Path

from deploy.triton.embedded import CHECKOUT
from export.exporter import Exported, Request, export_version, synthesise

MODEL = "lips_wav2lip"


def empty_repository(folder: Path) -> Path:
    """Make a repository that has the model's configuration and no version of it."""
    repository = folder / "models"
    (repository / MODEL).mkdir(parents=True)
    shutil.copy(CHECKOUT / "model_repository" / MODEL / "config.pbtxt", repository / MODEL)
    return repository


def add_version(
    repository: Path, seed: int, precision: str = "fp32", width: float | None = None, version: int | None = None
) -> tuple[Path, Exported]:
    """Make random weights (`width` None: the family's reduced width) and export them; return checkpoint and version."""
    checkpoint = repository.parent / f"wav2lip-{seed}.pth"
    if not checkpoint.exists():
        synthesise("wav2lip", checkpoint, seed, width)
    request = Request("wav2lip", checkpoint, precision, repository, version=version, seed=seed)
    return checkpoint, export_version(request)
