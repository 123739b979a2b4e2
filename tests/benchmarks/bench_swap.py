"""Versions swapped under a steady load of requests: how many fail? None may.

Two light models in one embedded Triton, called all the time: lips_wav2lip (random weights, an eighth of the width, from
the exporter, with the sample that it records) through the typed client, and a tiny STT graph, directly and through an
ensemble that contains it. 20 swaps in turn; then a version broken in each way is refused, and a rollback follows.
A request counts as failed also when no sound version could have given its answer.

    python -m tests.benchmarks --only swap
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from client.contracts import Float32Array, UInt8Array
from client.errors import PolylipError
from client.lips import TritonLips
from client.repository import ModelRepository
from client.sample import Sample, read_sample
from client.triton import TritonConnection
from deploy.triton.embedded import EmbeddedTriton
from orchestrator.errors import SwapRefused
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Swapper
from tests import served_wav2lip
from tests.benchmarks.results import record
from tests.served_versions import BROKEN, ENSEMBLE, MODEL, add_version, break_version, heard_by, make_repository
from tests.swap_load import Client, Seen, calling

LIPS = served_wav2lip.MODEL
SWAPS = 20
CLIENTS = {MODEL: 2, ENSEMBLE: 1, LIPS: 3}
PAUSE_S = {MODEL: 1 / 40, ENSEMBLE: 1 / 20, LIPS: 1 / 30}
"""80 requests/s to the STT model, 20/s to the ensemble and 90/s to lips, as far as the machine keeps up."""
BY = "bench"
WIDTH = 0.125
"""Of Wav2Lip's layers: what is measured is the swap, and the requests must be many."""


class NoPins:
    """Nobody is pinned."""

    def held(self, model: str) -> set[int]:
        """Return nothing."""
        return set()


def main() -> None:
    """Measure, print, record."""
    with tempfile.TemporaryDirectory(prefix="polylip-bench-") as folder:
        repository = _repository(Path(folder))
        models = [MODEL, ENSEMBLE, LIPS]
        with (
            EmbeddedTriton(models, repository=repository, run_dir=Path(folder) / "run") as server,
            TritonConnection(server.grpc_url, control_timeout_s=60.0) as connection,
        ):
            figures, seen = _measure(repository, connection)
    _print(seen)
    record(figures)
    failures = [failure for each in seen for failure in each.failures]
    for failure in failures[:5]:
        print(failure)


def _repository(folder: Path) -> Path:
    """Make versions 1 and 2 of both models; 1 serves."""
    repository = make_repository(folder, versions=1)
    lips = served_wav2lip.empty_repository(folder / "lips")
    for version in (1, 2):
        served_wav2lip.add_version(lips, seed=version, version=version, width=WIDTH)
    (lips / LIPS / "2").rename(folder / "lips-2")
    (lips / LIPS).rename(repository / LIPS)
    return repository


def _measure(repository: Path, connection: TritonConnection) -> tuple[dict[str, float], list[Seen]]:
    swapper = Swapper(RepositoryFolder(repository), ModelRepository(connection, load_timeout_s=300.0), NoPins())
    (repository.parent / "lips-2").rename(repository / LIPS / "2")
    add_version(repository, 2)
    seen = {model: Seen(model) for model in CLIENTS}
    calls: dict[str, Callable[[], str]] = {name: heard_by(connection, name) for name in (MODEL, ENSEMBLE)}
    calls[LIPS] = _moved_by(connection, repository)
    clients = [
        Client(seen[model], calls[model], PAUSE_S[model]) for model, count in CLIENTS.items() for _ in range(count)
    ]
    begin = time.perf_counter()
    with calling(clients):
        took_s = [swapper.swap(model, version, BY).took_s for model, version in _turns()]
        refused, rollbacks = _break(swapper, repository)
    wall_s = time.perf_counter() - begin
    latencies_ms = [1000 * each for one in seen.values() for each in one.latencies_s]
    requests = sum(each.requests for each in seen.values())
    figures: dict[str, float] = {
        "swap.failed_requests": sum(len(each.failures) for each in seen.values()),
        "swap.requests": requests,
        "swap.requests_per_s": requests / wall_s,
        "swap.swaps": len(took_s),
        "swap.refused": refused,
        "swap.rollbacks": rollbacks,
        "swap.seconds_p50": statistics.median(took_s),
        "swap.request_ms_p50": float(np.percentile(latencies_ms, 50)),
        "swap.request_ms_p99": float(np.percentile(latencies_ms, 99)),
        "swap.request_ms_max": max(latencies_ms),
    }
    figures |= {f"swap.{each.name}.requests_per_s": each.requests / wall_s for each in seen.values()}
    return figures, list(seen.values())


def _turns() -> list[tuple[str, int]]:
    """Return SWAPS swaps, of the two models in turn, each time to the version that does not serve."""
    return [((MODEL, LIPS)[turn % 2], 2 - turn // 2 % 2) for turn in range(SWAPS)]


def _break(swapper: Swapper, repository: Path) -> tuple[int, int]:
    """Offer a broken version of every kind; each must be refused, and a rollback must work after it."""
    refused = rollbacks = 0
    for number, how in enumerate(BROKEN):
        break_version(repository, 10 + number, how)
        if _is_refused(swapper, MODEL, 10 + number):
            refused += 1
        swapper.rollback(MODEL, BY)
        rollbacks += 1
    broken = repository / LIPS / "10"
    broken.mkdir()
    (broken / "model.onnx").write_bytes((repository / LIPS / "1" / "model.onnx").read_bytes()[:100_000])
    refused += _is_refused(swapper, LIPS, 10)
    swapper.rollback(LIPS, BY)
    return refused, rollbacks + 1


def _is_refused(swapper: Swapper, model: str, version: int) -> bool:
    try:
        swapper.swap(model, version, BY)
    except SwapRefused as error:
        print(error.reason[:160], flush=True)
        return True
    return False


def _moved_by(connection: TritonConnection, repository: Path) -> Callable[[], str]:
    """Return a call of lips_wav2lip that tells which of its versions answered, by their recorded samples."""
    engine = TritonLips(connection, LIPS, timeout_s=60.0, transport="grpc")
    samples: dict[int, Sample] = {}
    for version in (1, 2):
        sample = read_sample(repository / LIPS / str(version), LIPS)
        assert sample is not None, "the exporter records one"
        samples[version] = sample
    faces: UInt8Array = samples[1].inputs["FACES"]
    mels: Float32Array = samples[1].inputs["MEL"]

    def call() -> str:
        moved = engine.move(faces, mels).astype(int)
        for version, sample in samples.items():
            if np.abs(moved - sample.outputs["MOVED"]).max() <= 3:
                return f"version {version}"
        raise PolylipError("the answer is of none of the versions")

    return call


def _print(seen: list[Seen]) -> None:
    table = Table("model", "requests", "failed", "answers")
    for each in seen:
        answers = ", ".join(f"{count} of {answer}" for answer, count in sorted(each.answers.items()))
        table.add_row(each.name, str(each.requests), str(len(each.failures)), answers)
    Console().print(table)


if __name__ == "__main__":
    main()
