"""The sentence boundary engine on texts it has not learnt from, and how long one answer takes; through gRPC.

    python -m tests.benchmarks --only timing

The texts are the committed sample of the held-out side (tests/testdata/boundary); the scores of the whole side are in
the manifest beside the network. A figure that misses its bar is marked.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from client.connection import TritonConnection
from client.contracts import BoundaryEngine
from client.triton import TritonBoundary
from deploy.triton.embedded import EmbeddedTriton
from export.sentence_boundary.examples import Example
from export.sentence_boundary.scores import BINS, GATE, Scores, by, reliability, scores, truth
from tests.benchmarks.results import record

HELD_OUT = Path(__file__).parents[1] / "testdata" / "boundary" / "heldout.jsonl"
ENGINE = "sentence_boundary"
BAR_ACCURACY, BAR_P95_MS = 0.92, 15.0
"""The paper's accuracy; the budget of one answer (the paper adds 15 ms)."""
WARM_UP_CALLS = 50


def main() -> None:
    """Ask for every text once, one after the other; print, record."""
    examples = read_examples(HELD_OUT)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedTriton([ENGINE], run_dir=Path(folder)) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        answers, times_ms = ask(TritonBoundary(connection, ENGINE, timeout_s=30.0), examples)
    overall = scores(truth(examples), answers)
    p50_ms, p95_ms = np.percentile(times_ms, [50, 95])
    _tell(examples, answers, overall)
    record(
        {
            "boundary.accuracy": overall.accuracy,
            "boundary.precision_at_gate": overall.precision_at_gate,
            "boundary.recall_at_gate": overall.recall_at_gate,
            "boundary.calibration_error": overall.calibration_error,
            "boundary.p50_ms": float(p50_ms),
            "boundary.p95_ms": float(p95_ms),
        }
    )
    _mark("accuracy", overall.accuracy >= BAR_ACCURACY, f"{overall.accuracy:.3f}, the paper's is {BAR_ACCURACY:g}")
    _mark("p95", p95_ms <= BAR_P95_MS, f"{p95_ms:.1f} ms of {BAR_P95_MS:g}")


def read_examples(path: Path) -> list[Example]:
    """Read a file of examples, one JSON object a line."""
    return [Example(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def ask(engine: BoundaryEngine, examples: Sequence[Example]) -> tuple[NDArray[np.float64], list[float]]:
    """Return the engine's answers, and how long each took in milliseconds."""
    for example in examples[:WARM_UP_CALLS]:
        engine.complete(example.text, example.language)
    answers, times_ms = [], []
    for example in examples:
        began = time.perf_counter()
        answers.append(engine.complete(example.text, example.language))
        times_ms.append(1000 * (time.perf_counter() - began))
    return np.array(answers, np.float64), times_ms


def _tell(examples: Sequence[Example], answers: NDArray[np.float64], overall: Scores) -> None:
    console = Console(width=120)
    parts = by(lambda example: f"{example.language}, {example.style}", examples, answers)
    table = Table("texts", "count", "accuracy", f"precision at {GATE:g}", f"recall at {GATE:g}", "ECE")
    for name, one in {**parts, "all": overall}.items():
        shares = (one.accuracy, one.precision_at_gate, one.recall_at_gate, one.calibration_error)
        table.add_row(name, str(one.examples), *(f"{share:.3f}" for share in shares))
    console.print(table)
    reliable = Table("probability", "texts", "mean", "complete")
    for number, (count, mean, share) in enumerate(reliability(truth(examples), answers)):
        reliable.add_row(f"{number / BINS:.1f}", str(count), f"{mean:.3f}", f"{share:.3f}")
    console.print(reliable)


def _mark(what: str, reached: bool, figure: str) -> None:
    print(f"{'reached' if reached else 'MISSED':8} {what}: {figure}", flush=True)


if __name__ == "__main__":
    main()
