"""From a published folder or file to a checked version of several graphs; and random checkpoints."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from export import install
from export.bundle import manifest, onnx_files
from export.bundle.family import BundleFamily, Progress, bundle, check_offered
from export.bundle.graph import Graph, Role
from export.bundle.measure import GateRecord
from export.bundle.published import Published
from export.errors import ExportError
from export.manifest import metadata, write_manifest
from export.onnx_file import add_metadata
from export.parity import Runner
from export.precision.graphs import check_available, open_written, write_graph
from export.seq2seq.reorder import write_reorder

EXACT = "fp32"
_CONFIG = "config.pbtxt"


@dataclass(frozen=True)
class BundleRequest:
    """One version to make."""

    family: str
    checkpoint: Path
    """A folder or a file."""
    precision: str
    repository: Path
    version: int | None = None
    """None: the next free number."""
    seed: int | None = None
    """Of the gate's random inputs; None: a fresh one, which the manifest keeps."""
    pairs: tuple[str, ...] = ()
    """Language pairs ("en-es") where the checkpoint does not say them, or says more than is wanted."""


@dataclass(frozen=True)
class BundleExported:
    """What was made."""

    model: str
    version: int
    folder: Path
    checkpoint: str
    """Name of the folder or file."""
    sha256: str
    licence: str
    records: tuple[GateRecord, ...]
    """What the gate saw: of the graphs in fp32, then of the version as it is served."""
    has_config: bool
    """Whether the model has a config.pbtxt in this repository; else Triton cannot serve it yet."""


def export_bundle(request: BundleRequest, progress: Progress = lambda step: None) -> BundleExported:
    """Make, check and install one version.

    Raises:
        ExportError: its sub-classes say what; the repository is as it was.
    """
    family = bundle(request.family)
    check_offered(family, request.precision)
    check_available(request.precision)
    seed = request.seed if request.seed is not None else secrets.randbelow(2**31)
    progress("reading the checkpoint")
    published = family.stated(family.read(request.checkpoint), request.pairs)
    model = family.triton_model(published)
    with install.staging(request.repository, model, request.version) as room:
        making = _Making(family, published, request.precision, room, seed, progress)
        del published  # `making` lets the weights go when they are traced
        records, formats, graphs = making.run()
        progress("installing")
        facts = manifest.Facts(model, request.precision, formats, graphs, records)
        write_manifest(room.folder, manifest.manifest(family, making.published, facts, room.folder))
        with _config(family, making.published, request.repository / model / _CONFIG) as has_config:
            folder = room.install()
    return BundleExported(
        model, room.version, folder, making.published.name, making.published.sha256, family.licence, records, has_config
    )


def synthesise(name: str, out: Path, seed: int, size: str) -> BundleFamily:
    """Write random weights in the family's published format.

    Raises:
        ExportError: no such family or size, `out` is there already, or it cannot be written.
    """
    family = bundle(name)
    if out.exists():
        raise ExportError(f"{out} exists already")
    try:
        family.synth(out, seed, size)
    except ValueError as error:
        raise ExportError(f"{name}: {error}") from error
    return family


@dataclass
class _Making:
    """One version while it is made."""

    family: BundleFamily
    published: Published
    precision: str
    room: install.Staging
    seed: int
    progress: Progress

    def run(self) -> tuple[tuple[GateRecord, ...], dict[str, Mapping[str, str]], tuple[Graph, ...]]:
        """Fill room.folder; return what the gate saw, the graphs' formats, and the graphs."""
        self.family.write_files(self.published, self.room.folder)  # first: a vocabulary that does not fit costs no time
        graphs = list(self.family.graphs(self.family.load(self.published)))
        exact = self.room.work / EXACT
        exact.mkdir()
        for graph in graphs:
            self.progress(f"writing {graph.role}")
            onnx_files.write(graph, graph.path(exact))
            if graph.role == "decoder" and self.family.cache_grows:
                write_reorder(graph.inputs, exact / "reorder.onnx")
        roles: list[Role] = [graph.role for graph in graphs]
        roles += ["reorder"] if self.family.cache_grows else []
        facts = tuple(_without_weights(graph) for graph in graphs)
        graphs.clear()  # the reference needs the memory, and reads the files anew
        self.published = replace(self.published, state={})
        records = [self._gate(exact, roles, EXACT)]
        formats = self._convert(exact, roles)
        if self.precision != EXACT:
            records.append(self._gate(self.room.folder, roles, self.precision))
        return tuple(records), formats, facts

    def _gate(self, folder: Path, roles: list[Role], precision: str) -> GateRecord:
        run: dict[str, Runner] = {role: open_written(folder / f"{role}.onnx") for role in roles}
        return self.family.gate(self.published, run, self.room.folder, precision, self.seed, self.progress)

    def _convert(self, exact: Path, roles: list[Role]) -> dict[str, Mapping[str, str]]:
        formats: dict[str, Mapping[str, str]] = {}
        marks = metadata(self.family.name, self.published.sha256, self.precision)
        for role in roles:
            self.progress(f"making {role} in {self.precision}")
            target = self.room.folder / f"{role}.onnx"
            formats[role] = write_graph(exact / target.name, target, role, self.precision)
            add_metadata(target, marks)
        return formats


def _without_weights(graph: Graph) -> Graph:
    """Keep what the manifest says of a graph."""
    return replace(graph, module=nn.Identity(), examples={})


@contextmanager
def _config(family: BundleFamily, published: Published, path: Path) -> Iterator[bool]:
    """Give a new model its config, if the family has one for it; taken back when the version is not installed.

    Yields whether the model has a config.
    """
    content = None if path.is_file() else family.config(published)
    if content is None:
        yield path.is_file()
        return
    install.write_file(path, content.encode())
    try:
        yield True
    except BaseException:
        path.unlink(missing_ok=True)
        raise
