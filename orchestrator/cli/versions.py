"""`polylip models swap`, `rollback`, `prune`: which version of a model serves (docs/MODELS.md)."""

import getpass
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from rich.table import Table

from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.logs import configure_logging
from orchestrator.models.admin import ModelAdmin
from orchestrator.models.history import SwapRecord
from orchestrator.settings import Settings
from orchestrator.store.dubs import DubStore

_POLL_S = 1.0

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model, such as lips_wav2lip.")]


def swap(
    name: Name,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="That shall serve from now on.")],
    wait: Annotated[bool, typer.Option(help="Wait until no pinned session needs the version before.")] = False,
) -> None:
    """Have a version serve: it is loaded, warmed up and asked its recorded sample first; no request fails."""
    with plain_errors(), _admin() as admin, errors.status("starting") as status:
        _show(admin.swap(name, version, _who(), status.update))
        if wait:
            status.update("waiting for pinned sessions")
            _wait_for_sessions(admin, name)


def rollback(name: Name) -> None:
    """Go back to the version that served before; it is tried like any other."""
    with plain_errors(), _admin() as admin, errors.status("starting") as status:
        _show(admin.rollback(name, _who(), status.update))


def prune(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Left out: all models.")] = None,
    keep: Annotated[int, typer.Option(min=0, help="Old versions of each model that stay.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete old versions that are not served; never what a rollback would go to."""
    with plain_errors(), _admin() as admin:
        chosen = admin.removable(names or (), keep)
        if not chosen:
            console.print("nothing to delete")
            return
        for model, version in chosen:
            console.print(str(admin.folder.version_folder(model, version)), soft_wrap=True)
        if not yes and not typer.confirm(f"Delete {len(chosen)} version(s)?"):
            return
        admin.prune(chosen, _who())
        console.print(f"{len(chosen)} version(s) deleted")


def record(name: Name) -> None:
    """Record what the served version answers, as its sample; for models that no export makes."""
    with plain_errors(), _admin() as admin:
        console.print(f"{name}: the sample of version {admin.record(name, _who())} is recorded")


def show_history() -> None:
    """Print the audit lines of all models."""
    with _admin() as admin:
        table = Table("when (UTC)", "model", "what", "from", "to", "by", "result")
        records = (each for model in admin.folder.models() for each in admin.history(model))
        for record in sorted(records, key=lambda each: each.at):
            result = f"{record.result}: {record.reason}" if record.reason else str(record.result)
            versions = [_number(record.from_version), _number(record.to_version)]
            table.add_row(record.at[:19], record.model, str(record.action), *versions, record.by, result)
        console.print(table)


def _show(record: SwapRecord) -> None:
    before = _number(record.from_version) or "nothing"
    console.print(
        f"{record.model}: version {record.to_version} serves, before it {before}; "
        f"checked by {record.checked}; {record.took_s:.1f} s"
    )


def _wait_for_sessions(admin: ModelAdmin, name: str) -> None:
    while any(each.model == name for each in admin.draining()):
        for each in admin.retire(_who()):
            console.print(f"{each.model}: version {each.version} unloaded")
        time.sleep(_POLL_S)


def _number(version: int | None) -> str:
    return "" if version is None else str(version)


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


@contextmanager
def _admin() -> Iterator[ModelAdmin]:
    settings = Settings()
    configure_logging("ERROR", settings.log_format)  # what is logged elsewhere is printed here
    with closing(DubStore(settings.store.database_url)) as dubs, ModelAdmin.connected(settings, dubs.pins) as admin:
        yield admin
