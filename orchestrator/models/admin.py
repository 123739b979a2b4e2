"""Everything about versions in one place, for the command line and the gateway: made of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.models import history
from orchestrator.models.history import SwapRecord
from orchestrator.models.keeping import Draining, Keeper
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Pins, Progress, Swapper
from orchestrator.settings import Settings


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

    def __init__(self, settings: Settings, pins: Pins) -> None:
        """Connect lazily; nothing is looked at yet."""
        triton, models = settings.triton, settings.models
        self._connection = TritonConnection(triton.grpc_url, control_timeout_s=triton.control_timeout_s)
        self._triton = ModelRepository(self._connection, load_timeout_s=models.load_timeout_s)
        self.folder = RepositoryFolder(models.repository)
        self._swapper = Swapper(self.folder, self._triton, pins, sample_timeout_s=models.sample_timeout_s)
        self._keeper = Keeper(self.folder, self._triton, pins, drain_s=models.drain_s)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

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
