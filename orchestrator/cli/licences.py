"""`polylip models licences`: under which terms each model of the repository may be used."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from client.licences import ModelLicence, licence_of
from client.version_folders import versions
from deploy.triton.embedded import CHECKOUT
from orchestrator.cli.export import Repository
from orchestrator.cli.output import console, plain_errors
from orchestrator.errors import BadRequest

COMMERCIAL_USE = {True: "yes", False: "NO", None: "nobody says"}


def licences(
    repository: Repository = CHECKOUT / "model_repository",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: all fields, one list.")] = False,
) -> None:
    """List the licence of every version of every model in the repository, and whether it allows commercial use."""
    with plain_errors():
        if not repository.is_dir():
            raise BadRequest(f"there is no model repository {repository}")
        found = [
            licence_of(folder.name, version, repository)
            for folder in sorted(path.parent for path in repository.glob("*/config.pbtxt"))
            for version in [str(number) for number in versions(folder)] or [""]
        ]
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
        else:
            console.print(_table(found))


def _table(found: list[ModelLicence]) -> Table:
    table = Table("model", "version", "licence", "commercial use", "source")
    for each in found:
        allowed = COMMERCIAL_USE[each.licence.commercial_use]
        table.add_row(each.model, each.version or "none yet", each.licence.identifier, allowed, each.source)
    return table
