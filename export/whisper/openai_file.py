"""openai's checkpoint files: {"dims": sizes, "model_state_dict": tensors}."""

from collections.abc import Mapping
from pathlib import Path

from export.bundle.published import Published
from export.checkpoint import check_finite_state, load_pickle, sha256_of, tensors_by_name
from export.errors import CheckpointRefused
from export.whisper.names import of_openai

DIMS, STATE = "dims", "model_state_dict"


def read_openai_file(path: Path) -> Published:
    """Read a file; its tensors get the names that folders have, its sizes stay as they are.

    Raises:
        CheckpointRefused: no such file, damaged, would run code, or not openai's form.
        NotFinite: a weight is NaN or infinite.
    """
    if not path.is_file():
        raise CheckpointRefused(f"there is no file {path}")
    found = load_pickle(path)
    if not isinstance(found, Mapping) or not isinstance(found.get(DIMS), Mapping) or STATE not in found:
        raise CheckpointRefused(f"{path.name} is no checkpoint of openai-whisper: it has no {DIMS} and {STATE}")
    state = tensors_by_name(found[STATE], path.name)
    check_finite_state(state, path.name)
    return Published(path, dict(found[DIMS]), of_openai(state), sha256_of(path))
