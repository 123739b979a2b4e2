"""Where an owner writes how a job goes: the job of a dub, or the job of a render of a finished dub."""

import uuid
from contextlib import suppress
from typing import Any, Protocol

from orchestrator.errors import DubNotFound
from orchestrator.store.artefacts import Artefact, in_revision, of_revision
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from orchestrator.store.schema import Render

_MADE = (Artefact.RESULT, Artefact.SEGMENTS, Artefact.REPORT)


class Ledger(Protocol):
    """One job's page in the job store."""

    def progress(self, stage: str, fraction: float) -> None:
        """Record that `stage` has come to `fraction`, 0..1."""
        ...

    def is_cancelled(self) -> bool:
        """Tell whether nobody wants the result any more."""
        ...

    def succeed(self, summary: dict[str, Any]) -> None:
        """End the job well; its artefacts are stored. Raises SessionCancelled when it is not wanted any more."""
        ...

    def fail(self, code: str, detail: str) -> None:
        """End the job with an error's code and text; raises as `succeed`."""
        ...

    def abandon(self) -> None:
        """Delete what was stored for a job that nobody wants."""
        ...


class DubLedger:
    """Of a dub."""

    def __init__(self, dubs: DubStore, media: MediaStore, dub_id: uuid.UUID) -> None:
        """Write nothing yet."""
        self._dubs = dubs
        self._media = media
        self._dub_id = dub_id

    def progress(self, stage: str, fraction: float) -> None:
        """See Ledger."""
        self._dubs.progress(self._dub_id, stage, fraction)

    def is_cancelled(self) -> bool:
        """See Ledger."""
        return self._dubs.is_cancelled(self._dub_id)

    def succeed(self, summary: dict[str, Any]) -> None:
        """See Ledger."""
        self._dubs.succeed(self._dub_id, summary)

    def fail(self, code: str, detail: str) -> None:
        """See Ledger."""
        self._dubs.fail(self._dub_id, code, detail)

    def abandon(self) -> None:
        """See Ledger."""
        self._media.delete(self._dub_id)


class RenderLedger:
    """Of a render: the dub stays as it was until the render succeeds, and if it does not."""

    def __init__(self, dubs: DubStore, media: MediaStore, render: Render, shown: int) -> None:
        """`shown`: the revision of the artefacts that are shown meanwhile."""
        self._dubs = dubs
        self._media = media
        self._render = render
        self._shown = shown

    def progress(self, stage: str, fraction: float) -> None:
        """See Ledger."""
        self._dubs.renders.progress(self._render.id, stage, fraction)

    def is_cancelled(self) -> bool:
        """See Ledger."""
        return self._dubs.renders.is_cancelled(self._render.id)

    def succeed(self, summary: dict[str, Any]) -> None:
        """Show the new revision. The one before it stays for those who are reading it; what is older goes."""
        self._dubs.renders.succeed(self._render.id, summary)
        self._sweep(self._render.revision, self._shown)

    def fail(self, code: str, detail: str) -> None:
        """See Ledger."""
        self._dubs.renders.fail(self._render.id, code, detail)
        self._sweep(self._shown)

    def abandon(self) -> None:
        """Delete what was stored for the render, and everything when the dub itself is gone."""
        try:
            dub = self._dubs.get(self._render.dub_id)
        except DubNotFound:
            self._media.delete(self._render.dub_id)
            return
        if dub.revision != self._render.revision:  # else another owner has finished it
            self._delete(self._render.revision, self._media.names(dub.id))

    def _sweep(self, *keep: int) -> None:
        """Delete all revisions up to this render's but `keep`."""
        names = self._media.names(self._render.dub_id)
        for revision in range(1, self._render.revision + 1):
            if revision not in keep:
                self._delete(revision, names)

    def _delete(self, revision: int, names: list[str]) -> None:
        for name in of_revision(names, revision):
            if name in _MADE or name.startswith("subtitles."):
                with suppress(FileNotFoundError):
                    self._media.remove(self._render.dub_id, in_revision(name, revision))
