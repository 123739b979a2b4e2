"""`polylip models export` and `polylip models synth`: checkpoints become versions of models.

The package export/ is imported when a command runs, for it needs PyTorch, which nothing else of the project does. It
knows two kinds of families: networks of one graph (wav2lip, s3fd), and bundles of several (whisper, marian).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.triton.embedded import CHECKOUT
from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.errors import BadRequest

if TYPE_CHECKING:
    from export.bundle.exporter import BundleExported
    from export.exporter import Exported
    from export.parity import Figure

_OWN = ("client", "deploy", "export", "orchestrator")
_FULL, _REDUCED = "full", "reduced"

FamilyName = Annotated[str, typer.Argument(metavar="FAMILY", help="Model family: wav2lip, s3fd, whisper, marian.")]
Checkpoint = Annotated[Path, typer.Option(help="The file or folder as downloaded.")]
PrecisionName = Annotated[str, typer.Option(help="fp32, fp16, bf16, int8, tensorrt or tensorrt_fp32.")]
Size = Annotated[str | None, typer.Option(help="Of a family with published sizes: tiny, small, large-v3 ...")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", help="Of a translation model: en-es; again for further ones. Left out: as the folder says."),
]
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
    pair: Pairs = None,
) -> None:
    """Make a version of a model from a checkpoint, if it computes what the original computes."""
    with plain_errors():
        make_version(family, checkpoint, precision, version, repository, seed, tuple(pair or ()))


def make_version(
    family: str,
    checkpoint: Path,
    precision: str,
    version: int | None,
    repository: Path,
    seed: int | None,
    pairs: tuple[str, ...],
) -> tuple[str, int, Path]:
    """Export a checkpoint and print what was seen; return model, version and the version's folder."""
    if _is_bundle(family):
        return _export_bundle(family, checkpoint, precision, version, repository, seed, pairs)
    if pairs:
        raise BadRequest(f"{family} takes no --pair")
    with _export_extra():
        from export.exporter import Request, export_version
    request = Request(family, checkpoint, precision, repository, version, seed)
    with errors.status("starting") as status, _export_extra():
        exported = export_version(request, lambda step: status.update(f"{family} {precision}: {step}"))
    _show(exported)
    return exported.model, exported.version, exported.folder


def check_exportable(family: str, precision: str) -> None:
    """Refuse, before a download, what could not be exported after it: no such family or precision, extra missing."""
    with _export_extra():
        if _is_bundle(family):
            import_module("export.bundle.exporter")  # for what it needs itself
            from export.bundle import family as bundles

            bundles.check_offered(bundles.bundle(family), precision)
            return
        import_module("export.exporter")
        from export import family as families

        families.check_offered(families.family(family), precision)


def synth(
    family: FamilyName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file or folder to write.")],
    seed: Annotated[int, typer.Option(help="Same seed, same weights.")],
    width: Annotated[str, typer.Option(help="full, reduced, or a fraction of the published width: 0.25.")] = _FULL,
    size: Size = None,
) -> None:
    """Make a checkpoint of random weights in a family's published format, for tests and measurements."""
    with plain_errors():
        if _is_bundle(family):
            _synth_bundle(family, out, seed, width, size)
            return
        if size is not None:
            raise BadRequest(f"{family} has no --size, but --width")
        factor = _width(width)
        with _export_extra():
            from export.exporter import synthesise
        with errors.status(f"{family}: drawing weights"), _export_extra():
            chosen = synthesise(family, out, seed, factor)
        console.print(
            f"{out}: random weights of {chosen.name}, in the format of {' and '.join(chosen.published_files)}"
        )


def _is_bundle(family: str) -> bool:
    from export.bundle.family import BUNDLES  # needs none of the extra

    return family in BUNDLES


def _export_bundle(
    family: str,
    checkpoint: Path,
    precision: str,
    version: int | None,
    repository: Path,
    seed: int | None,
    pairs: tuple[str, ...],
) -> tuple[str, int, Path]:
    with _export_extra():
        from export.bundle.exporter import BundleRequest, export_bundle
    request = BundleRequest(family, checkpoint, precision, repository, version, seed, pairs)
    with errors.status("starting") as status, _export_extra():
        exported = export_bundle(request, lambda step: status.update(f"{family} {precision}: {step}"))
    _show_bundle(exported)
    return exported.model, exported.version, exported.folder


def _synth_bundle(family: str, out: Path, seed: int, width: str, size: str | None) -> None:
    with _export_extra():
        from export.bundle.exporter import synthesise
        from export.bundle.family import bundle
    if size is None and width not in (_FULL, _REDUCED):
        raise BadRequest(f"--width of {family} is full or reduced, not {width!r}; --size takes the published sizes")
    with errors.status(f"{family}: drawing weights"), _export_extra():
        chosen = size or (bundle(family).sizes[0] if width == _FULL else _REDUCED)
        made = synthesise(family, out, seed, chosen)
    console.print(f"{out}: random weights of {made.name}, size {chosen}, in the format of {made.published_files[0]}")


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


def _show_bundle(exported: "BundleExported") -> None:
    table = Table("graphs", "figure", "seen", "limit")
    for record in exported.records:
        for measure in record.measures:
            table.add_row(record.precision, measure.name, f"{measure.value:.4g}", measure.bar)
    console.print(table)
    for record in exported.records:
        fed = ", ".join(f"{name} {value}" for name, value in record.inputs.items())
        console.print(f"{record.precision}: compared with {record.reference}, seed {record.seed}; {fed}")
    console.print(f"{exported.checkpoint}, sha256 {exported.sha256}")
    console.print(f"licence: {exported.licence}")
    if not exported.has_config:
        errors.print(f"{exported.model} has no config.pbtxt in this repository: Triton cannot serve it yet")
    console.print(f"version {exported.version} of {exported.model} is in {exported.folder}")


def _cells(figure: "Figure") -> tuple[str, str, str]:
    limit = figure.limit
    similarity = "" if figure.ssim is None else f"{figure.ssim:.4f} ({limit.min_ssim:g})"
    return f"{figure.max_abs:.3g} ({limit.max_abs:g})", f"{figure.batch_abs:.3g} ({limit.batch_abs:g})", similarity
