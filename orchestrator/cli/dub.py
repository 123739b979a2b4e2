"""`polylip dub`: one clip on one machine, with nothing else running."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from client.contracts import Task
from orchestrator.background_choice import BackgroundChoice
from orchestrator.cli.output import console, errors, plain_errors, print_report, print_segments
from orchestrator.cli.progress import StageBars
from orchestrator.errors import BadRequest, GlossaryRefused
from orchestrator.face_choice import FaceChoice
from orchestrator.glossary import parse_glossary
from orchestrator.local import local_pipeline
from orchestrator.logs import configure_logging
from orchestrator.settings import Settings
from orchestrator.store.artefacts import Artefact

Clip = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The clip to dub.")]
Target = Annotated[str, typer.Option("--to", help="Language to dub into (ISO 639-1).")]
Source = Annotated[str, typer.Option("--from", help="Language of the clip; left out: detected, or the settings'.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the result, subtitles and report.")]
EngineOptions = Annotated[
    list[str] | None, typer.Option("--engine", help="Another engine for a task, e.g. --engine lips=lips_wav2lip.")
]

Face = Annotated[
    str,
    typer.Option(
        "--face",
        help='Whose lips move: a face of an earlier report ("2"), or a box "x1,y1,x2,y2" in pixels, perhaps at a time '
        'in seconds ("…@12.5"); left out: the one who speaks.',
    ),
]

Glossary = Annotated[
    Path | None,
    typer.Option(
        "--glossary",
        exists=True,
        dir_okay=False,
        readable=True,
        help='JSON file of terms and the translations they must have: {"dog": "can"}.',
    ),
]

Background = Annotated[
    str,
    typer.Option(
        "--background",
        help='The source\'s own sound: "duck" (quieter while somebody speaks), "off" (only the dub is heard), or how '
        'much quieter in decibels ("-24"); left out: the settings\'.',
    ),
]

TranscriptFile = Annotated[
    Path | None,
    typer.Option(
        "--transcript", exists=True, dir_okay=False, readable=True,
        help="A SubRip file of what is spoken: then nothing is recognised, and its cues are the sentences.",
    ),
]  # fmt: skip


def dub(
    clip: Clip,
    to: Target,
    source: Source = "",
    out: Out = Path("out"),
    engine: EngineOptions = None,
    face: Face = "",
    background: Background = "",
    glossary: Glossary = None,
    transcript: TranscriptFile = None,
) -> None:
    """Dub a clip, with an embedded Triton that is started for it and stopped afterwards."""
    with plain_errors():
        settings = with_engines(Settings(), engine or [])
        BackgroundChoice.parse(background)
        terms = read_glossary(glossary)
        FaceChoice.parse(face)  # what cannot be read is told before Triton is started
        configure_logging("WARNING", settings.log_format)
        with ExitStack() as stack:
            with console.status("Starting Triton and loading the engines"):
                pipeline = stack.enter_context(local_pipeline(settings))
            bars = stack.enter_context(StageBars(errors))
            given = transcript.read_bytes() if transcript else None
            pipeline.dub(clip, out, source, to, bars, face, given, background, terms)
        show(out)


def read_glossary(path: Path | None) -> dict[str, str]:
    """Read a glossary's file; raises GlossaryRefused."""
    try:
        return parse_glossary(path.read_text(encoding="utf-8")) if path is not None else {}
    except UnicodeDecodeError as error:
        raise GlossaryRefused(f"glossary: {path} is not UTF-8") from error


def show(out: Path) -> None:
    """Print the sentences and figures of a finished dub, and where its files are."""
    print_segments(json.loads((out / Artefact.SEGMENTS).read_text())["segments"])
    print_report(json.loads((out / Artefact.REPORT).read_text()))
    console.print(f"Result: {out / Artefact.RESULT}", soft_wrap=True)


def with_engines(settings: Settings, choices: list[str]) -> Settings:
    """Return settings with engines replaced as `task=model` says; raises BadRequest for anything else."""
    chosen = {}
    for choice in choices:
        task, _, model = choice.partition("=")
        if task not in list(Task) or not model:
            raise BadRequest(f"--engine {choice}: write task=model, with a task of {', '.join(Task)}")
        chosen[task] = model
    return settings.model_copy(update={"engines": settings.engines.model_copy(update=chosen)})
