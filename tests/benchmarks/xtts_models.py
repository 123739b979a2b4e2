"""XTTS-v2 at full size with random weights: a checkpoint and its int8 version, made once and kept for the next run."""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.triton.embedded import CHECKOUT
from export.bundle.family import bundle
from tests.benchmarks.language_models import make_version

MODEL = "tts_xtts"
_KEPT = Path("out/bench/xtts")
_MAKERS = ("export/xtts", "export/bundle", "export/precision", "export/seq2seq")
"""What a version depends on: when its content changes, the version is made anew."""


@dataclass(frozen=True)
class Models:
    """Where everything lies."""

    checkpoint: Path
    version: Path

    def repository(self, folder: Path, parameters: Mapping[str, str]) -> Path:
        """Make a model repository in which the engine's config has these parameters besides; the version is linked."""
        model = folder / "models" / MODEL
        shutil.copytree(CHECKOUT / "model_repository" / MODEL, model, ignore=shutil.ignore_patterns("[0-9]*"))
        (model / "1").symlink_to(self.version.resolve())
        config = (model / "config.pbtxt").read_text()
        for key, value in parameters.items():
            config = re.sub(rf'  {{ key: "{key}" value: .*\n', "", config)
            line = f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}\n'
            config = f"{config}\n{line}"
        (model / "config.pbtxt").write_text(config)
        return model.parent


def make_models() -> Models:
    """Make checkpoint and version where they are not kept from an earlier run; what others left is removed."""
    folder = _KEPT / _fingerprint()
    models = Models(folder / "XTTS-v2", folder / "1")
    if not models.version.is_dir():
        shutil.rmtree(_KEPT, ignore_errors=True)
        partial = _KEPT / f"partial-{os.getpid()}"
        make_version(bundle("xtts"), "full", partial / models.checkpoint.name, partial / models.version.name)
        partial.rename(folder)
    return models


def _fingerprint() -> str:
    content = hashlib.sha256()
    for path in sorted(path for maker in _MAKERS for path in (CHECKOUT / maker).glob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]
