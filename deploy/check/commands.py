"""What a container is called with, tried in this environment: parsed by the very command line that the image has."""

from collections.abc import Iterator, Mapping, Sequence

import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from deploy.errors import DeployError
from deploy.triton.embedded import CHECKOUT
from deploy.triton.serve import server_command
from orchestrator.cli.main import app
from orchestrator.workers.run import STAGES

POLYLIP = ["polylip"]
SERVE = ["python3", "-m", "deploy.triton.serve"]


def check_command(
    where: str, entrypoint: Sequence[str], arguments: Sequence[str], variables: Mapping[str, str]
) -> Iterator[str]:
    """Say why the image's entry point would refuse these arguments, or does not know them."""
    if list(entrypoint) == POLYLIP:
        yield from _polylip(where, list(arguments))
    elif list(entrypoint) == SERVE:
        yield from _serve(where, arguments, variables)
    else:
        yield f"{where}: the entry point {' '.join(entrypoint)} is none of ours"


def _polylip(where: str, arguments: list[str]) -> Iterator[str]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    called = f"{where}: polylip {' '.join(arguments)}"
    command = group.commands.get(arguments[0] if arguments else "")
    if command is None:
        yield f"{called}: no such command"
        return
    try:
        context = command.make_context(command.name, arguments[1:])  # parses, and runs nothing
    except TyperException as error:
        yield f"{called}: {error}"
        return
    stage = context.params.get("stage", STAGES[0])
    if stage not in STAGES:
        yield f"{called}: no stage {stage!r}"


def _serve(where: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
    # The repository that a container has at /models is this checkout's, or in a bucket.
    here = [f"--model-repository={CHECKOUT / 'model_repository'}"]
    try:
        server_command(variables, [*arguments, *([] if "--model-repository=" in " ".join(arguments) else here)])
    except DeployError as error:
        yield f"{where}: {error}"
