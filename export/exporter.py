"""From a checkpoint file to a checked version in the model repository; and random checkpoints."""

import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from client.config_file import read_config_file
from export import install, manifest
from export.checkpoint import Checkpoint, read_checkpoint
from export.errors import ExportError
from export.family import Family, check_offered, family
from export.onnx_file import add_metadata, drop_outputs, trace
from export.parity import Parity, check_original, check_parity
from export.precision import Job, Precision, precision
from export.runtime import open_graph
from export.sample import record_family_sample
from export.signature import check_config

Progress = Callable[[str], None]
"""Told what is done next, in a few words."""


@dataclass(frozen=True)
class Request:
    """One version to make."""

    family: str
    checkpoint: Path
    precision: str
    repository: Path
    version: int | None = None
    """None: the next free number."""
    seed: int | None = None
    """Of the gate's random inputs; None: a fresh one, which the manifest keeps."""


@dataclass(frozen=True)
class Exported:
    """What was made."""

    model: str
    version: int
    folder: Path
    checkpoint: Checkpoint
    licence: str
    parities: tuple[Parity, ...]
    """The graph in fp32 before it was converted, then the version as it will be served."""
    configs: tuple[Path, ...]
    """The config.pbtxt files that the graph was held against; none: Triton cannot serve it yet."""


def export_version(request: Request, progress: Progress = lambda step: None) -> Exported:
    """Make, check and install one version.

    Raises:
        ExportError: its sub-classes say what; the repository is as it was.
    """
    chosen, number_format = family(request.family), precision(request.precision)
    check_offered(chosen, request.precision)
    number_format.check_available()
    seed = request.seed if request.seed is not None else secrets.randbelow(2**31)
    with install.staging(request.repository, chosen.triton_model, request.version) as room:
        configs = _check_configs(request.repository / chosen.triton_model, chosen)
        progress("reading the checkpoint")
        checkpoint = read_checkpoint(request.checkpoint)
        parities = _make(chosen, checkpoint, number_format, room, seed, progress)
        progress("installing")
        content = manifest.manifest(chosen, checkpoint, request.precision, number_format.execution(), parities)
        manifest.write_manifest(room.folder, content)
        folder = room.install()
        return Exported(chosen.triton_model, room.version, folder, checkpoint, chosen.licence, parities, configs)


def synthesise(name: str, path: Path, seed: int, width: float | None) -> Family:
    """Write random weights in the family's published format; `width` None: its reduced width.

    Raises:
        ExportError: no such family, a width it cannot have, or the file cannot be written.
    """
    chosen = family(name)
    if path.exists():
        raise ExportError(f"{path} exists already")
    try:
        content = chosen.synth(seed, chosen.reduced_width if width is None else width)
    except ValueError as error:
        raise ExportError(f"{name}: {error}") from error
    buffer = io.BytesIO()
    torch.save(content, buffer)
    install.write_file(path, buffer.getvalue())
    return chosen


def _make(
    chosen: Family,
    checkpoint: Checkpoint,
    number_format: Precision,
    room: install.Staging,
    seed: int,
    progress: Progress,
) -> tuple[Parity, ...]:
    """Fill room.folder; return what the gate saw."""
    original = chosen.load(checkpoint.state)
    check_original(chosen, original)
    probed, plain = room.work / "probed.onnx", room.work / "fp32.onnx"
    progress("tracing the graph")
    trace(chosen, chosen.graph(original), probed)
    progress("comparing the fp32 graph with the original")
    exact = check_parity(chosen, original, open_graph(probed), "fp32", seed)
    drop_outputs(probed, [tensor.name for tensor in chosen.probes], plain)
    progress(f"making the {number_format.name} version")
    number_format.build(Job(plain, room.folder, chosen, secrets.randbelow(2**31)))
    for path in room.folder.glob("*.onnx"):
        add_metadata(path, manifest.metadata(chosen.name, checkpoint.sha256, number_format.name))
    progress(f"comparing the {number_format.name} version with the original")
    run = number_format.open(room.folder)
    seen = check_parity(chosen, original, run, number_format.name, seed, probes=False)
    progress("recording a sample")
    record_family_sample(chosen, run, room.folder)
    return exact, seen


def _check_configs(model_folder: Path, chosen: Family) -> tuple[Path, ...]:
    """Hold every config of the model in this repository against the family's signature (SignatureMismatch)."""
    configs = [model_folder / "config.pbtxt", *sorted((model_folder / "configs").glob("*.pbtxt"))]
    found = tuple(path for path in configs if path.is_file())
    for path in found:
        check_config(read_config_file(path), chosen.signature)
    return found
