"""Changes which version of a model serves, without a request that fails and without one that meets an unproven version.

A version is first loaded under another name, where nobody calls it, warms up there, and answers its recorded sample.
Only then the model's config names it and Triton loads it beside the one that serves; callers who name no version go
over in one step, ensembles that contain the model with them. Whatever goes wrong leaves what served serving.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import structlog

from client.errors import EngineError, EngineNotLoaded, PolylipError
from orchestrator.errors import NoEarlierVersion, SwapRefused
from orchestrator.models import history
from orchestrator.models.history import Action, Result, SwapRecord
from orchestrator.models.lock import swap_lock
from orchestrator.models.probing import AnswersSamples, probe
from orchestrator.models.repository import RepositoryFolder, candidate_name

log = structlog.get_logger()

Progress = Callable[[str], None]
"""Told what is done next, in a few words."""


class ServedModels(AnswersSamples, Protocol):
    """client/repository.py's ModelRepository."""

    def ready_versions(self, model: str) -> Sequence[int]:
        """Return the versions that Triton serves, ascending."""
        ...

    def load(self, model: str) -> None:
        """Load the model, or take over what changed; what served before serves meanwhile, and if it fails."""
        ...

    def unload(self, model: str) -> None:
        """Unload the model."""
        ...


class Pins(Protocol):
    """orchestrator/store/pins.py: the sessions that keep the version they began with."""

    def held(self, model: str) -> set[int]:
        """Return the versions of the model that sessions are pinned to."""
        ...


class Swapper:
    """Swaps in one repository, served by one Triton."""

    def __init__(
        self, folder: RepositoryFolder, triton: ServedModels, pins: Pins, *, sample_timeout_s: float = 60.0
    ) -> None:
        self._folder = folder
        self._triton = triton
        self._pins = pins
        self._sample_timeout_s = sample_timeout_s

    def swap(self, model: str, version: int, by: str, progress: Progress = lambda step: None) -> SwapRecord:
        """Have `version` serve. One that serves already is a success that changes nothing.

        Raises:
            ModelNotFound, VersionNotFound: there is none.
            SwapRefused: it does not load, or does not answer as it should; what served still serves.
            SwapInProgress: another swap is under way.
            EngineUnavailable, EngineTimeout, RepositoryUnusable: nothing was tried.
        """
        self._folder.version_folder(model, version)
        with swap_lock(self._folder.root, f"swap of {model} to version {version} by {by}"):
            return self._change(Action.SWAP, model, version, by, progress)

    def rollback(self, model: str, by: str, progress: Progress = lambda step: None) -> SwapRecord:
        """Have the version serve that served before; it is tried like any other.

        Raises:
            NoEarlierVersion: there is none any more.
            And whatever `swap` raises.
        """
        existing = self._folder.versions(model)
        with swap_lock(self._folder.root, f"rollback of {model} by {by}"):
            served = self._served(model)
            earlier = history.served_before(history.read(self._folder.root, model), served, existing)
            if earlier is None:
                raise NoEarlierVersion(f"{model}: no version that served before is in the repository")
            return self._change(Action.ROLLBACK, model, earlier, by, progress)

    def _served(self, model: str) -> int | None:
        return max(self._triton.ready_versions(model), default=None)

    def _change(self, action: Action, model: str, version: int, by: str, progress: Progress) -> SwapRecord:
        began, served = time.monotonic(), self._served(model)
        failure, checked = Result.REFUSED, ""

        def note(result: Result, reason: str = "") -> SwapRecord:
            record = SwapRecord(
                at=history.now(),
                model=model,
                action=action,
                by=by,
                from_version=served,
                to_version=version,
                result=result,
                reason=reason,
                checked=checked,
                took_s=round(time.monotonic() - began, 3),
            )
            history.append(self._folder.root, record)
            return record

        try:
            self._write_down_what_serves(model)
            progress(f"{model}: version {version} is tried out")
            checked = self._try_out(model, version)
            progress(f"{model}: version {version} takes over")
            ensembles = [name for name in self._folder.dependents(model) if self._triton.ready_versions(name)]
            with self._named(model, version):
                self._triton.load(model)
                failure = Result.REVERTED  # from here on callers have met it
                self._confirm(model, version, ensembles)
        except (PolylipError, OSError) as error:
            refused = SwapRefused(model, version, served, _reason(model, error))
            log.warning("swap refused", model=model, version=version, served=served, reason=refused.reason)
            note(failure, refused.reason)
            raise refused from error
        log.info("swapped", model=model, version=version, before=served, by=by, checked=checked)
        return note(Result.DONE)

    def _write_down_what_serves(self, model: str) -> None:
        """Have a config that leaves the choice to Triton name what is served.

        Else a Triton that starts anew, or takes up a config that was taken back, loads the highest number there is:
        the very version that is not proven yet.
        """
        ready = self._triton.ready_versions(model)
        if ready and not self._folder.chosen(model):
            self._folder.choose(model, ready)

    def _try_out(self, model: str, version: int) -> str:
        """Load, warm up and ask the version where nobody calls it; return what it was checked by."""
        with self._folder.candidate(model, version) as name:
            try:
                self._triton.load(name)
                folder = self._folder.root / name / str(version)
                return probe(self._triton, name, folder, timeout_s=self._sample_timeout_s)
            finally:
                with suppress(EngineError):  # it may never have been loaded
                    self._triton.unload(name)

    @contextmanager
    def _named(self, model: str, version: int) -> Iterator[None]:
        """Name the version in the model's config, and those that pinned sessions hold.

        On a failure it names what was ready before, and that is loaded again.
        """
        ready, held = self._triton.ready_versions(model), self._pins.held(model)
        # The highest serves whoever names none, so a version above it cannot stay: its sessions come along.
        kept = [each for each in ready if each in held and each < version]
        undo = self._folder.choose(model, [*kept, version])
        try:
            yield
        except BaseException:
            with suppress(EngineError):
                if ready:
                    self._folder.choose(model, ready)
                    self._triton.load(model)
                else:
                    undo()
                    self._triton.unload(model)
            raise

    def _confirm(self, model: str, version: int, ensembles: Sequence[str]) -> None:
        """Ask the version again where callers get it, and the ensembles that it is part of."""
        folder = self._folder.version_folder(model, version)
        probe(self._triton, model, folder, timeout_s=self._sample_timeout_s)
        for name in ensembles:
            ready = self._triton.ready_versions(name)
            if not ready:
                raise EngineNotLoaded(name, f"it does not load with version {version} of {model}")
            folder = self._folder.version_folder(name, max(ready))
            probe(self._triton, name, folder, timeout_s=self._sample_timeout_s)


def _reason(model: str, error: Exception) -> str:
    """Say what went wrong, without the name it was tried under and without a Python backend's traceback."""
    text = error.detail if isinstance(error, EngineError) and error.model.startswith(model) else str(error)
    return text.partition("\n\nAt:\n")[0].replace(candidate_name(model), model).strip()
