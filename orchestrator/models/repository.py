"""Triton's model repository on disk: which versions there are, and which of them its configs say are served.

The choice is kept in each config.pbtxt itself (`version_policy`), so a Triton that starts anew loads what was chosen,
whoever starts it. A swap tries a version out under another model's name first: a folder of links beside the model's.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from client.version_folders import versions
from client.version_policy import candidate_config, stated_versions, steps_of, with_versions
from orchestrator.errors import ModelNotFound, RepositoryUnusable, VersionNotFound

_CONFIG = "config.pbtxt"
_CONFIGS = "configs"
"""Folder of a model's further configurations, one for each kind of server; they are swapped alike."""
_CANDIDATE = "--candidate"
_PRUNED = ".pruned-"


def candidate_name(model: str) -> str:
    """Return the name under which a version of the model is tried out."""
    return model + _CANDIDATE


def is_candidate(model: str) -> bool:
    """Tell whether this is no model of its own, but a version that is tried out."""
    return model.endswith(_CANDIDATE)


class RepositoryFolder:
    """One repository. Methods raise RepositoryUnusable when it cannot be read or written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def models(self) -> list[str]:
        """Return the models that have a configuration."""
        if not self.root.is_dir():
            raise RepositoryUnusable(f"there is no model repository {self.root} (POLYLIP_MODELS__REPOSITORY)")
        found = (each.name for each in self.root.iterdir() if (each / _CONFIG).is_file())
        return sorted(name for name in found if not is_candidate(name))

    def versions(self, model: str) -> list[int]:
        """Return the versions that lie there; ModelNotFound."""
        if model not in self.models():
            raise ModelNotFound(f"{self.root} has no model {model!r}")
        return versions(self.root / model)

    def version_folder(self, model: str, version: int) -> Path:
        """Return the folder; ModelNotFound, VersionNotFound."""
        there_are = self.versions(model)
        if version not in there_are:
            listed = ", ".join(map(str, there_are)) or "none"
            raise VersionNotFound(f"{model} has no version {version}; there are: {listed}")
        return self.root / model / str(version)

    def chosen(self, model: str) -> tuple[int, ...]:
        """Return the versions that the model's config names; none: Triton serves the highest number there is."""
        return stated_versions(self.root / model / _CONFIG) or ()

    def choose(self, model: str, chosen: Sequence[int]) -> Callable[[], None]:
        """Name these versions in all configs of the model; return what takes it back."""
        paths = self._configs(model)
        before = {path: path.read_text("utf-8") for path in paths}
        after = {path: with_versions(path, chosen) for path in paths}
        try:
            _replace_all(after)
        except RepositoryUnusable:
            with suppress(RepositoryUnusable):
                _replace_all(before)
            raise
        return lambda: _replace_all(before)

    def dependents(self, model: str) -> list[str]:
        """Return the ensembles that the model is a step of, directly or within another; inner ones first."""
        found: list[str] = []
        steps = {name: steps_of(self.root / name / _CONFIG) for name in self.models()}
        wanted = [model]
        for part in wanted:
            users = [name for name, parts in steps.items() if part in parts and name not in wanted]
            wanted += users
            found += users
        return found

    @contextmanager
    def candidate(self, model: str, version: int) -> Iterator[str]:
        """Lay one version out as a model of its own, for the time of the block; yields its name."""
        folder = self.version_folder(model, version)
        name = candidate_name(model)
        place = self.root / name
        try:
            _remove(place)  # of a swap that was killed
            place.mkdir()
            for path in self._configs(model):
                copy = place / path.relative_to(self.root / model)
                copy.parent.mkdir(exist_ok=True)
                copy.write_text(candidate_config(path, name, version), encoding="utf-8")
            for each in (self.root / model).iterdir():
                if each == folder or not (each.name in (_CONFIG, _CONFIGS) or each.name.isdecimal()):
                    (place / each.name).symlink_to(Path("..", model, each.name))
        except OSError as error:
            _remove(place)
            raise RepositoryUnusable(f"{place} cannot be written: {error.strerror or error}") from error
        try:
            yield name
        finally:
            _remove(place)

    def remove(self, model: str, version: int) -> None:
        """Delete a version; at no time is there half of one."""
        folder = self.version_folder(model, version)
        aside = folder.with_name(f"{_PRUNED}{version}")
        try:
            folder.rename(aside)
            shutil.rmtree(aside)
        except OSError as error:
            raise RepositoryUnusable(f"{folder} cannot be removed: {error.strerror or error}") from error

    def _configs(self, model: str) -> list[Path]:
        folder = self.root / model
        return [folder / _CONFIG, *sorted((folder / _CONFIGS).glob("*.pbtxt"))]


def _replace_all(contents: dict[Path, str]) -> None:
    for path, text in contents.items():
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise RepositoryUnusable(f"{path} cannot be written: {error.strerror or error}") from error


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # links in it are removed, not followed
