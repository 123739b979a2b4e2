"""`polylip report`: a finished dub as one HTML file with its timeline."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.output import console, plain_errors
from orchestrator.errors import BadRequest
from orchestrator.picture.dub import read_dub
from orchestrator.picture.energy import energy_dbfs
from orchestrator.picture.page import timeline_page
from orchestrator.settings import Settings

PAGE = "timeline.html"


def report(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What `dub` or `demo` has filled.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help=f"The file; DIR/{PAGE} if left out.")] = None,
    clip: Annotated[
        Path | None,
        typer.Option("--clip", exists=True, dir_okay=False, help="The source clip, to draw its sound as well."),
    ] = None,
) -> None:
    """Draw the timeline of a finished dub: source sentences, dub sentences, rates, energy of both."""
    with plain_errors():
        target = out or folder / PAGE
        if target.suffix.lower() not in (".html", ".htm"):
            raise BadRequest(f"{target}: the timeline is an HTML file (with SVG inside); name it .html")
        settings = Settings()
        dub = read_dub(folder)
        source = energy_dbfs(clip, settings.media) if clip else None
        page = timeline_page(dub, source, energy_dbfs(dub.result, settings.media), settings.timing)
        try:
            target.write_text(page, encoding="utf-8")
        except OSError as error:
            raise BadRequest(f"cannot write {target}: {error.strerror}") from error
        console.print(f"Timeline: {target}", soft_wrap=True)
