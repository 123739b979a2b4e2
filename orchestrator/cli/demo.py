"""`polylip demo`: a clip through the whole stack over REST, as a user of the gateway would send it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from client.errors import RestError
from client.rest import DubEvent, JsonObject, PolylipClient
from deploy.stack import Stack
from orchestrator.cli.dub import Face, TranscriptFile, show
from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.cli.progress import StageBars
from orchestrator.store.artefacts import Artefact

CHECKOUT = Path(__file__).parents[2]
SAMPLE = CHECKOUT / "samples" / "astronaut_en.mp4"


def demo(
    clip: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, readable=True, help="The clip; the sample if left out.")
    ] = SAMPLE,
    to: Annotated[str, typer.Option("--to", help="Language to dub into (ISO 639-1).")] = "es",
    source: Annotated[str, typer.Option("--from", help="Language of the clip; left out: detected.")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the result.")] = Path("out/demo"),
    face: Face = "",
    transcript: TranscriptFile = None,
) -> None:
    """Bring the local stack up, dub a clip over REST, fetch the result; the stack stays up."""
    with plain_errors(), ExitStack() as stack:
        with console.status("Starting RabbitMQ, Triton, the workers and the gateway"):
            info = Stack(CHECKOUT / ".run").up()
        client = stack.enter_context(PolylipClient(info.gateway_url))
        accepted = client.create(clip, to, source or None, face=face or None, transcript=transcript)
        with StageBars(errors) as bars:
            dub = client.wait(accepted["id"], lambda event: _show_progress(bars, event))
        _raise_unless_dubbed(dub)
        _fetch(client, dub, to, out)
        show(out)
        console.print(f"Watch it side by side: {info.gateway_url}/#{dub['id']}   (make down stops everything)")


def _show_progress(bars: StageBars, event: DubEvent) -> None:
    if event.kind == "progress":
        bars.on_progress(event.data["stage"], event.data["progress"])


def _raise_unless_dubbed(dub: JsonObject) -> None:
    if dub["state"] != "succeeded":
        problem = dub.get("error") or {"code": dub["state"], "detail": "the dub did not succeed"}
        raise RestError(0, problem["code"], problem["detail"])


def _fetch(client: PolylipClient, dub: JsonObject, target: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for artefact in (Artefact.RESULT, Artefact.SEGMENTS, Artefact.REPORT):
        client.download(dub["id"], artefact, out / artefact)
    for kind, name in ((Artefact.SUBTITLES_SRT, "subtitles.srt"), (Artefact.SUBTITLES_VTT, "subtitles.vtt")):
        client.download(dub["id"], name, out / kind.in_language(target))
