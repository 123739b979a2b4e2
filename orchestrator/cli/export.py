"""`polylip models export` and `polylip models synth`: checkpoints become versions of models.

The package export/ is imported when a command runs, for it needs PyTorch, which nothing else of the project does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.triton.embedded import CHECKOUT
from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.errors import BadRequest

if TYPE_CHECKING:
    from export.exporter import Exported
    from export.parity import Figure

_OWN = ("client", "deploy", "export", "orchestrator")
_FULL, _REDUCED = "full", "reduced"

FamilyName = Annotated[str, typer.Argument(metavar="FAMILY", help="Model family, such as wav2lip or s3fd.")]
Checkpoint = Annotated[Path, typer.Option(help="The file as downloaded (.pth), or .safetensors.")]
PrecisionName = Annotated[str, typer.Option(help="fp32, fp16, bf16, int8, tensorrt or tensorrt_fp32.")]
Version = Annotated[int | None, typer.Option(min=1, help="Number of the version; left out: the next free one.")]
Repository = Annotated[Path, typer.Option(help="Triton's model repository.")]
Seed = Annotated[int | None, typer.Option(help="Of the random inputs of the check; left out: a fresh one.")]


def export(
    family: FamilyName,
    checkpoint: Checkpoint,
    precision: PrecisionName = "fp32",
    version: Version = None,
    repository: Repository = CHECKOUT / "model_repository",
    seed: Seed = None,
) -> None:
    """Make a version of a model from a checkpoint, if it computes what the original computes."""
    with plain_errors():
        with _export_extra():
            from export.exporter import Request, export_version
        request = Request(family, checkpoint, precision, repository, version, seed)
        with errors.status("starting") as status, _export_extra():
            exported = export_version(request, lambda step: status.update(f"{family} {precision}: {step}"))
        _show(exported)


def synth(
    family: FamilyName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    seed: Annotated[int, typer.Option(help="Same seed, same weights.")],
    width: Annotated[str, typer.Option(help="full, reduced, or a fraction of the published width: 0.25.")] = _FULL,
) -> None:
    """Make a checkpoint of random weights in a family's published format, for tests and measurements."""
    with plain_errors():
        factor = _width(width)
        with _export_extra():
            from export.exporter import synthesise
        with errors.status(f"{family}: drawing weights"), _export_extra():
            chosen = synthesise(family, out, seed, factor)
        console.print(
            f"{out}: random weights of {chosen.name}, in the format of {' and '.join(chosen.published_files)}"
        )


@contextmanager
def _export_extra() -> Iterator[None]:
    """Tell a package that is not installed from any other failure."""
    from export.errors import ExtraMissing

    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _OWN:
            raise
        raise ExtraMissing(package) from error


def _width(text: str) -> float | None:
    """None: the family's reduced width."""
    if text in (_FULL, _REDUCED):
        return 1.0 if text == _FULL else None
    try:
        factor = float(text)
    except ValueError as error:
        raise BadRequest(f"--width is full, reduced or a fraction, not {text!r}") from error
    if not 0 < factor <= 1:
        raise BadRequest(f"--width must be above 0 and at most 1, it is {text}")
    return factor


def _show(exported: "Exported") -> None:
    table = Table("graph", "output", "max difference (limit)", "batch against singles (limit)", "SSIM (limit)")
    for parity in exported.parities:
        for figure in parity.figures:
            table.add_row(parity.precision, figure.tensor, *_cells(figure))
    console.print(table)
    seed, batches = exported.parities[0].seed, ", ".join(map(str, exported.parities[0].batch_sizes))
    console.print(f"checked on random inputs of seed {seed}, batches of {batches}")
    console.print(f"{exported.checkpoint.file_name}, sha256 {exported.checkpoint.sha256}")
    console.print(f"licence: {exported.licence}")
    if not exported.configs:
        errors.print(f"{exported.model} has no config.pbtxt in this repository: Triton cannot serve it yet")
    console.print(f"version {exported.version} of {exported.model} is in {exported.folder}")


def _cells(figure: "Figure") -> tuple[str, str, str]:
    limit = figure.limit
    similarity = "" if figure.ssim is None else f"{figure.ssim:.4f} ({limit.min_ssim:g})"
    return f"{figure.max_abs:.3g} ({limit.max_abs:g})", f"{figure.batch_abs:.3g} ({limit.batch_abs:g})", similarity
