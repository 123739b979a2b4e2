"""Everything about versions in one place, for the command line and the gateway: made of the settings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from client.errors import EngineNotLoaded
from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.models import history
from orchestrator.models.history import SwapRecord
from orchestrator.models.keeping import Draining, Keeper
from orchestrator.models.lock import swap_lock
from orchestrator.models.probing import record
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Pins, Progress, ServedModels, Swapper
from orchestrator.settings import ModelSettings, Settings


@dataclass(frozen=True)
class ModelVersions:
    """One model of the repository."""

    name: str
    versions: tuple[int, ...]
    """That lie in the repository."""
    served: int | None
    """What callers get who name no version; None: the model is not served."""
    loaded: tuple[int, ...]
    """All that Triton holds ready: more than the served one while sessions are pinned to an older one."""
    chosen: tuple[int, ...]
    """That the config names; none: Triton serves the highest number when it starts."""
    earlier: int | None
    """Where a rollback goes; None: nowhere."""


class ModelAdmin:
    """Thread-safe: what changes anything holds the repository's lock. Errors: those of Swapper and Keeper."""

    def __init__(self, folder: RepositoryFolder, triton: ServedModels, pins: Pins, settings: ModelSettings) -> None:
        self.folder = folder
        self._triton = triton
        self._sample_timeout_s = settings.sample_timeout_s
        self._swapper = Swapper(folder, triton, pins, sample_timeout_s=settings.sample_timeout_s)
        self._keeper = Keeper(folder, triton, pins, drain_s=settings.drain_s)

    @classmethod
    @contextmanager
    def connected(cls, settings: Settings, pins: Pins) -> Iterator[Self]:
        """Work with the Triton and the repository of the settings; nothing is asked before it is needed."""
        address, timeout_s = settings.triton.grpc_url, settings.triton.control_timeout_s
        with TritonConnection(address, control_timeout_s=timeout_s) as connection:
            triton = ModelRepository(connection, load_timeout_s=settings.models.load_timeout_s)
            yield cls(RepositoryFolder(settings.models.repository), triton, pins, settings.models)

    def model(self, name: str) -> ModelVersions:
        """Return what there is of a model and what serves. Raises ModelNotFound, EngineError."""
        versions = self.folder.versions(name)
        loaded = tuple(self._triton.ready_versions(name))
        served = max(loaded, default=None)
        return ModelVersions(
            name=name,
            versions=tuple(versions),
            served=served,
            loaded=loaded,
            chosen=self.folder.chosen(name),
            earlier=history.served_before(self.history(name), served, versions),
        )

    def history(self, name: str) -> list[SwapRecord]:
        """Return what was done to the model, oldest first. Raises ModelNotFound."""
        self.folder.versions(name)
        return history.read(self.folder.root, name)

    def swap(self, name: str, version: int, by: str, progress: Progress = lambda step: None) -> SwapRecord:
        """See Swapper.swap."""
        return self._swapper.swap(name, version, by, progress)

    def rollback(self, name: str, by: str, progress: Progress = lambda step: None) -> SwapRecord:
        """See Swapper.rollback."""
        return self._swapper.rollback(name, by, progress)

    def record(self, name: str, by: str) -> int:
        """Record a sample of the version that serves; return its number. See probing.record; EngineNotLoaded."""
        self.folder.versions(name)
        with swap_lock(self.folder.root, f"recording of {name} by {by}"):
            served = max(self._triton.ready_versions(name), default=None)
            if served is None:
                raise EngineNotLoaded(name, "it is not served, so it cannot answer")
            record(self._triton, self.folder.version_folder(name, served), timeout_s=self._sample_timeout_s)
        return served

    def draining(self) -> list[Draining]:
        """See Keeper.draining."""
        return self._keeper.draining()

    def retire(self, by: str) -> list[Draining]:
        """See Keeper.retire."""
        return self._keeper.retire(by)

    def removable(self, names: Sequence[str], keep: int) -> list[tuple[str, int]]:
        """Return model and version of everything old, of these models or (none named) of all; see Keeper.removable."""
        models = names or self.folder.models()
        return [(model, version) for model in models for version in self._keeper.removable(model, keep)]

    def prune(self, chosen: Sequence[tuple[str, int]], by: str) -> None:
        """See Keeper.prune."""
        self._keeper.prune(chosen, by)
