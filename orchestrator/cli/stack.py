"""`polylip up`, `down`, `status`: the local stack of separate processes, as in production."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.stack import Stack
from orchestrator.cli.output import console, plain_errors

RunDir = Annotated[Path, typer.Option(help="Folder for logs, data and process ids.")]
DEFAULT_RUN_DIR = Path(".run")


def up(run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """Start RabbitMQ, Triton, the stage workers, a session owner and the gateway; what runs already is kept."""
    with plain_errors():
        with console.status("Starting the stack"):
            info = Stack(run_dir).up()
        console.print(f"Polylip is up: {info.gateway_url}  (make down stops it)")


def down(run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """Stop everything that `up` started."""
    with plain_errors():
        Stack(run_dir).down()
        console.print("Polylip is down.")


def status(run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """Tell what runs."""
    with plain_errors():
        for name, state in Stack(run_dir).status().items():
            console.print(f"{name:16} {state}")
