"""A model's folder without its versions, with other parameters than those of its config."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.triton.embedded import CHECKOUT


def engine_folder(engine: str, repository: Path, parameters: Mapping[str, str] | None = None) -> Path:
    """Copy `engine` of the project's repository into another; `parameters` replace or join those of its config."""
    model = repository / engine
    shutil.copytree(CHECKOUT / "model_repository" / engine, model, ignore=shutil.ignore_patterns("[0-9]*"))
    config = model / "config.pbtxt"
    text = config.read_text("utf-8")
    for key, value in (parameters or {}).items():
        text, found = re.subn(rf'(key: "{key}" value: {{ string_value: )"[^"]*"', rf'\g<1>"{value}"', text)
        if not found:
            text += f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}\n'
    config.write_text(text, "utf-8")
    return model
