"""`polylip models pull`: a published checkpoint is downloaded, checked, and becomes a version of a model."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from pydantic import ValidationError
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from client.licences import Licence
from deploy.triton.embedded import CHECKOUT
from orchestrator.cli import versions
from orchestrator.cli.export import (
    FamilyName,
    Pairs,
    PrecisionName,
    Repository,
    Seed,
    Version,
    check_exportable,
    make_version,
)
from orchestrator.cli.licences import COMMERCIAL_USE
from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.errors import BadRequest
from orchestrator.hub_settings import HubSettings
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from export.pull.puller import Pulled, Request


def pull(
    family: FamilyName,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="I accept the licence that is shown and keep to it.")
    ] = False,
    precision: PrecisionName = "fp32",
    version: Version = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SOURCE", help="OWNER/NAME of the hub, or an address; left out: as published."),
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="Which of the family's checkpoints: tiny, large-v3, en-es, gan ...")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="Of the one file, if you know it.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Take what the source offers now, not what it did.")] = False,
    download_only: Annotated[bool, typer.Option("--download-only", help="Do not export.")] = False,
    swap: Annotated[bool, typer.Option("--swap", help="Have the running Triton serve the version at once.")] = False,
    repository: Repository = CHECKOUT / "model_repository",
    seed: Seed = None,
    pair: Pairs = None,
) -> None:
    """Download a family's published checkpoint, check it, and make a version of a model from it."""
    with plain_errors():
        settings = _settings()
        if not download_only:
            check_exportable(family, precision)
        if swap:
            _check_served(repository, download_only=download_only)
        from export.pull.addresses import parse_source
        from export.pull.puller import Request

        parsed = parse_source(source, settings.endpoint) if source is not None else None
        request = Request(family, settings.folder, variant, parsed, sha256, accept_licence, update)
        pulled = _download(request, settings)
        if download_only:
            return
        model, number, folder = make_version(
            family, pulled.checkpoint, precision, version, repository, seed, tuple(pair or ())
        )
        from export.pull.record import write_record

        write_record(folder, pulled)
        if swap:
            versions.swap(model, number, wait=False)
        else:
            console.print(f"a Triton that runs serves it after: polylip models swap {model} {number}")


def _check_served(repository: Path, *, download_only: bool) -> None:
    served = Settings().models.repository
    if download_only:
        raise BadRequest("--swap serves what was exported: not together with --download-only")
    if repository.resolve() != served.resolve():
        raise BadRequest(f"--swap is for the repository that is served, {served}, not for {repository}")


def _settings() -> HubSettings:
    try:
        return HubSettings()
    except ValidationError as error:
        names = ", ".join(str(each["loc"][0]) for each in error.errors())
        raise BadRequest(f"{names} cannot be understood: {error.errors()[0]['msg']}") from error


def _download(request: "Request", settings: HubSettings) -> "Pulled":
    from export.pull.puller import pull as pull_checkpoint
    from export.pull.transport import Transport

    transport = Transport(settings.endpoint, settings.token.get_secret_value() if settings.token else None)
    try:
        with _Bars() as bars:
            pulled = pull_checkpoint(request, transport, bars)
    finally:
        transport.close()
    for path, seen in pulled.files.items():
        console.print(f"{path}: {seen.size_bytes} bytes, sha256 {seen.sha256}", markup=False, soft_wrap=True)
    commit = f", commit {pulled.commit}" if pulled.commit else ""
    console.print(f"{pulled.source}{commit} is in {pulled.checkpoint}", markup=False, soft_wrap=True)
    return pulled


class _Bars:
    """One bar a file; lines and bars go to stderr."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
            TimeRemainingColumn(), console=errors,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Above the bars."""
        errors.print(text, markup=False, soft_wrap=True)

    def licence(self, what: str, licence: Licence) -> None:
        """What is downloaded, and what may be done with it."""
        allowed = COMMERCIAL_USE[licence.commercial_use]
        self.say(f"{what}\nlicence: {licence.name} {licence.url}\n  commercial use: {allowed}; {licence.meaning}")

    def file(self, path: str, here_bytes: int, whole_bytes: int | None) -> None:
        """Move the file's bar."""
        if path not in self._tasks:
            self._tasks[path] = self._progress.add_task(path)
        self._progress.update(self._tasks[path], completed=here_bytes, total=whole_bytes)
