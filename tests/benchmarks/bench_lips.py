"""Wav2Lip at the published size (random weights): PyTorch, ONNX Runtime, OpenVINO, and served by Triton to sessions.

All on all cores and in turn, several rounds, so that whatever else the machine does falls on everybody alike. PyTorch,
ONNX Runtime and OpenVINO are timed at the network in this process; Triton's time has everything, from crops in the
client to crops in the client. The gate has passed every version that is measured.

    python -m tests.benchmarks --only lips
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from client.connection import TritonConnection
from deploy.triton.embedded import EmbeddedTriton
from export.checkpoint import read_checkpoint
from export.precision.openvino import open_openvino, processor_has_bf16
from export.runtime import open_graph
from export.signature import Tensors
from export.wav2lip.family import FAMILY
from tests.benchmarks.results import record
from tests.benchmarks.sessions_load import Load, Seen, run_load
from tests.served_wav2lip import MODEL, add_version, empty_repository

ROUNDS = 4
DIRECT_RUNS = 3
"""Runs of each direct contender in a round."""
LOAD_S = 1.2
CROPS = 8
"""In a call, as the visual branch sends them (`POLYLIP_VISUAL__LIPS_BATCH`)."""
SESSIONS = (1, 2, 4, 8)
HEADLINE_SESSIONS = 4

Direct = Mapping[str, tuple[Callable[[], object], int]]
"""Name -> what runs once, and the crops in it."""


def main() -> None:
    """Measure, print, record."""
    precision = "bf16" if processor_has_bf16() else "fp32"
    with tempfile.TemporaryDirectory(prefix="polylip-bench-") as folder:
        repository, checkpoint = _make_versions(Path(folder), precision)
        inputs = FAMILY.samples(np.random.default_rng(0), CROPS)
        direct = _direct(repository, checkpoint, precision, inputs)
        loads = _loads(precision)
        with _triton(repository, precision) as connection:
            direct_ms, seen = _measure(direct, loads, connection, inputs)
    _print(direct_ms, seen)
    record(_figures(direct_ms, seen, precision))


def _make_versions(folder: Path, precision: str) -> tuple[Path, Path]:
    """Export the same random checkpoint twice; each becomes a model of its own."""
    models = folder / "served"
    for name in (precision, "int8"):
        begin = time.perf_counter()
        repository = empty_repository(folder / name)
        checkpoint, exported = add_version(repository, seed=0, precision=name, width=1.0)
        print(f"exported {name} in {time.perf_counter() - begin:.0f} s; {exported.parities[-1].figures[0]}", flush=True)
        config = repository / MODEL / "config.pbtxt"
        config.write_text(config.read_text().replace(f'name: "{MODEL}"', f'name: "{MODEL}_{name}"'))
        models.mkdir(exist_ok=True)
        (repository / MODEL).rename(models / f"{MODEL}_{name}")
    return models, checkpoint


def _direct(repository: Path, checkpoint: Path, precision: str, inputs: Tensors) -> Direct:
    network = FAMILY.load(read_checkpoint(checkpoint).state)
    graph, int8 = (repository / f"{MODEL}_{name}" / "1" / "model.onnx" for name in (precision, "int8"))
    hint = "bf16" if precision == "bf16" else "f32"
    runners = {
        "onnxruntime_fp32": open_graph(graph),
        f"openvino_{precision}": open_openvino(graph, hint),
        "openvino_int8": open_openvino(int8, hint),
    }
    found: dict[str, tuple[Callable[[], object], int]] = {}
    for crops in (1, CROPS):
        few = {name: array[:crops] for name, array in inputs.items()}
        found[f"torch_fp32_b{crops}"] = (_torch_run(network, crops), crops)
        for name, run in runners.items():
            found[f"{name}_b{crops}"] = ((lambda run=run, few=few: run(few)), crops)
    return found


def _torch_run(network: torch.nn.Module, crops: int) -> Callable[[], object]:
    mel, faces = torch.rand(crops, 1, 80, 16) * 8 - 4, torch.rand(crops, 6, 96, 96)

    def run() -> object:
        with torch.inference_mode():
            return network(mel, faces)

    return run


def _loads(precision: str) -> list[Load]:
    model = f"{MODEL}_{precision}"
    return [
        *(Load(model, sessions, CROPS) for sessions in SESSIONS),
        Load(model, HEADLINE_SESSIONS, CROPS, "shared_memory"),
        *(Load(model, sessions, 1) for sessions in (SESSIONS[0], SESSIONS[-1])),
        Load(f"{MODEL}_int8", HEADLINE_SESSIONS, CROPS),
    ]


@contextmanager
def _triton(repository: Path, precision: str) -> Iterator[TritonConnection]:
    models = [f"{MODEL}_{name}" for name in (precision, "int8")]
    with (
        EmbeddedTriton(models, repository=repository, run_dir=repository.parent / "run") as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        yield connection


def _measure(
    direct: Direct, loads: list[Load], connection: TritonConnection, inputs: Tensors
) -> tuple[dict[str, list[float]], dict[Load, list[Seen]]]:
    """Return milliseconds a crop of each direct contender, and each load's rounds; a first round is dropped."""
    direct_ms: dict[str, list[float]] = {name: [] for name in direct}
    seen: dict[Load, list[Seen]] = {load: [] for load in loads}
    for turn in range(ROUNDS + 1):
        for name, (run, crops) in direct.items():
            taken = statistics.median(_timed_ms(run) / crops for _ in range(DIRECT_RUNS))
            direct_ms[name] += [taken] * bool(turn)
        for load in loads:
            got = run_load(connection, load, inputs["FACES"], inputs["MEL"], LOAD_S if turn else LOAD_S / 3)
            seen[load] += [got] * bool(turn)
    return direct_ms, seen


def _timed_ms(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - begin)


def _joined(rounds: list[Seen]) -> dict[str, float]:
    whole = Seen()
    for one in rounds:
        whole.join(one)
    return whole.figures


def _figures(direct_ms: dict[str, list[float]], seen: dict[Load, list[Seen]], precision: str) -> dict[str, float]:
    """Flat, for the results file. A ratio is the median of the rounds' own ratios."""
    torch_b1 = direct_ms["torch_fp32_b1"]
    figures = {f"lips.{name}_ms": statistics.median(times) for name, times in direct_ms.items()}
    for load, rounds in seen.items():
        figures |= {f"lips.triton_{load.name}.{key}": value for key, value in _joined(rounds).items()}
        ratios = [ms * one.frames_per_s[0] / 1000 for ms, one in zip(torch_b1, rounds, strict=True)]
        figures[f"lips.triton_{load.name}.speedup_vs_torch_b1"] = statistics.median(ratios)
    served = [Load(f"{MODEL}_{name}", HEADLINE_SESSIONS, CROPS) for name in (precision, "int8")]
    fastest = max(served, key=lambda load: figures[f"lips.triton_{load.name}.speedup_vs_torch_b1"])
    for key in ("speedup_vs_torch_b1", "frames_per_s"):
        figures[f"lips.{key}"] = figures[f"lips.triton_{fastest.name}.{key}"]
    return figures


def _print(direct_ms: dict[str, list[float]], seen: dict[Load, list[Seen]]) -> None:
    console = Console()
    torch_b1 = statistics.median(direct_ms["torch_fp32_b1"])
    table = Table("in this process", "ms a crop", "crops/s", "against PyTorch b1", title="Wav2Lip, full size")
    for name, times in direct_ms.items():
        ms = statistics.median(times)
        table.add_row(name, f"{ms:.1f}", f"{1000 / ms:.1f}", f"{torch_b1 / ms:.2f}")
    console.print(table)
    table = Table(title="s: sessions, c: crops in a call; queue and compute are Triton's own, a call")
    table.add_column("Triton", no_wrap=True)
    for column in ("crops/s", "p50 ms", "p95 ms", "batch", "largest", "queue ms", "compute ms"):
        table.add_column(column, justify="right")
    for load, rounds in seen.items():
        table.add_row(load.name, *(f"{value:.1f}" for value in _joined(rounds).values()))
    console.print(table)


if __name__ == "__main__":
    main()
