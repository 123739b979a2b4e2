"""`polylip models`: what Triton serves."""

from typing import Annotated

import typer
from rich.table import Table

from client.exported import not_loaded_reason
from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.cli import export, licences, pull, versions
from orchestrator.cli.output import console, plain_errors
from orchestrator.models.repository import is_candidate
from orchestrator.settings import Settings

app = typer.Typer(help="Models that Triton serves, and how they are made.", no_args_is_help=True)


@app.callback()
def models() -> None:
    """Models that Triton serves, and how they are made."""


@app.command("list")
def list_models(
    history: Annotated[bool, typer.Option(help="Instead: what was swapped, by whom, and what came of it.")] = False,
) -> None:
    """List the models, their versions and states, and the engines of the settings that Triton does not have."""
    with plain_errors():
        if history:
            versions.show_history()
            return
        settings = Settings()
        triton = settings.triton
        table = Table("model", "version", "state", "reason")
        with TritonConnection(triton.grpc_url, control_timeout_s=triton.control_timeout_s) as connection:
            statuses = [each for each in ModelRepository(connection).statuses() if not is_candidate(each.name)]
        for status in statuses:
            table.add_row(status.name, status.version, "ready" if status.ready else "not ready", status.reason)
        listed = {status.name for status in statuses}
        for name in settings.engines.names():
            if name not in listed:
                table.add_row(name, "", "not ready", not_loaded_reason(name))
        console.print(table)


app.command("export")(export.export)
app.command("synth")(export.synth)
app.command("pull")(pull.pull)
app.command("licences")(licences.licences)
app.command("swap")(versions.swap)
app.command("rollback")(versions.rollback)
app.command("prune")(versions.prune)
app.command("record")(versions.record)
