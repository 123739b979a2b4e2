"""`polylip models`: what Triton serves."""

import typer
from rich.table import Table

from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.cli.output import console, plain_errors
from orchestrator.settings import Settings

app = typer.Typer(help="Models of the Triton server that the settings name.", no_args_is_help=True)


@app.callback()
def models() -> None:
    """Models of the Triton server that the settings name."""


@app.command("list")
def list_models() -> None:
    """List the models, their versions and states."""
    with plain_errors():
        triton = Settings().triton
        connection = TritonConnection(triton.grpc_url, control_timeout_s=triton.control_timeout_s)
        table = Table("model", "version", "state", "reason")
        for status in ModelRepository(connection).statuses():
            table.add_row(status.name, status.version, "ready" if status.ready else "not ready", status.reason)
        console.print(table)
        connection.close()
