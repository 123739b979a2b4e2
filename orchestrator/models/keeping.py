"""Lets go of versions: out of Triton when no pinned session needs them any more, off the disk when they are old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from orchestrator.models import history
from orchestrator.models.history import Action, Result, SwapRecord
from orchestrator.models.lock import swap_lock
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Pins, ServedModels

log = structlog.get_logger()


@dataclass(frozen=True)
class Draining:
    """A version that a swap left loaded for the sessions that began with it."""

    model: str
    version: int
    sessions: bool
    """Some still hold it."""


class Keeper:
    """Decides what of one repository is needed no longer."""

    def __init__(self, folder: RepositoryFolder, triton: ServedModels, pins: Pins, *, drain_s: float) -> None:
        self._folder = folder
        self._triton = triton
        self._pins = pins
        self._drain_s = drain_s

    def draining(self) -> list[Draining]:
        """Return the versions that a swap replaced and that are loaded beside the one that serves.

        Further versions that somebody wrote into a config by hand are none of ours.
        """
        found = []
        for model in self._folder.models():
            older = sorted(self._folder.chosen(model))[:-1]
            if older:
                held, replaced = self._pins.held(model), self._replaced(model)
                found += [Draining(model, version, version in held) for version in older if version in replaced]
        return found

    def retire(self, by: str) -> list[Draining]:
        """Unload what no session holds, or what was replaced longer ago than the drain time; return that.

        Raises SwapInProgress, EngineError, RepositoryUnusable.
        """
        over = [each for each in self.draining() if not each.sessions or self._is_late(each.model)]
        if not over:
            return []
        with swap_lock(self._folder.root, f"retirement by {by}"):
            for model in dict.fromkeys(each.model for each in over):
                self._drop(model, {each.version for each in over if each.model == model}, by)
        return over

    def removable(self, model: str, keep: int) -> list[int]:
        """Return old versions, ascending: not served, and served before or lower than what is served.

        Of them the `keep` highest stay, and what a rollback would go to. Nothing of a model that is not served.
        """
        ready, chosen = set(self._triton.ready_versions(model)), set(self._folder.chosen(model))
        if not ready:
            return []
        served, existing = max(ready), self._folder.versions(model)
        records = history.read(self._folder.root, model)
        known = {version for each in records for version in (each.from_version, each.to_version)}
        old = [each for each in existing if each not in ready | chosen and (each < served or each in known)]
        rollback = history.served_before(records, served, existing)
        spared = old[max(len(old) - keep, 0) :]
        return [each for each in old if each not in spared and each != rollback]

    def prune(self, chosen: Sequence[tuple[str, int]], by: str) -> None:
        """Delete these versions. Raises SwapInProgress, RepositoryUnusable."""
        with swap_lock(self._folder.root, f"prune by {by}"):
            for model, version in chosen:
                if version in (*self._triton.ready_versions(model), *self._folder.chosen(model)):
                    continue  # it came to serve since it was looked at
                self._folder.remove(model, version)
                self._note(Action.PRUNE, model, version, None, by)

    def _replaced(self, model: str) -> set[int | None]:
        swaps = (Action.SWAP, Action.ROLLBACK)
        records = history.read(self._folder.root, model)
        return {each.from_version for each in records if each.action in swaps and each.result is Result.DONE}

    def _is_late(self, model: str) -> bool:
        swaps = [each.at for each in history.read(self._folder.root, model) if each.result is Result.DONE]
        since = datetime.fromisoformat(swaps[-1]) if swaps else datetime.min.replace(tzinfo=UTC)
        return datetime.now(UTC) - since > timedelta(seconds=self._drain_s)

    def _drop(self, model: str, versions: set[int], by: str) -> None:
        chosen = self._folder.chosen(model)
        left = [each for each in chosen if each not in versions]
        undo = self._folder.choose(model, left)
        try:
            self._triton.load(model)
        except BaseException:
            undo()
            raise
        for version in sorted(versions):
            self._note(Action.RETIRE, model, version, max(left), by)
        log.info("versions retired", model=model, versions=sorted(versions))

    def _note(self, action: Action, model: str, version: int, to_version: int | None, by: str) -> None:
        record = SwapRecord(
            at=history.now(),
            model=model,
            action=action,
            by=by,
            from_version=version,
            to_version=to_version,
            result=Result.DONE,
        )
        history.append(self._folder.root, record)
