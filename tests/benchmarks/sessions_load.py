"""Several sessions at once on lips_wav2lip through Triton: each sends its next crops when it has the last ones back."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from client.connection import TritonConnection
from client.frames import Transport
from client.lips import TritonLips


@dataclass(frozen=True)
class Load:
    """What the sessions do."""

    model: str
    sessions: int
    crops: int
    """In each call."""
    transport: Transport = "grpc"

    @property
    def name(self) -> str:
        """Short, for keys and tables."""
        how = "" if self.transport == "grpc" else "_shm"
        return f"{self.model.removeprefix('lips_wav2lip_')}_s{self.sessions}_c{self.crops}{how}"


@dataclass
class Seen:
    """What came of one load, over all rounds."""

    frames_per_s: list[float] = field(default_factory=list)
    """One figure a round."""
    latencies_ms: list[float] = field(default_factory=list)
    """Of every call."""
    requests: int = 0
    runs: int = 0
    items: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0
    largest_batch: int = 0

    def join(self, other: "Seen") -> None:
        """Take further rounds in."""
        self.frames_per_s += other.frames_per_s
        self.latencies_ms += other.latencies_ms
        self.requests += other.requests
        self.runs += other.runs
        self.items += other.items
        self.queue_s += other.queue_s
        self.compute_s += other.compute_s
        self.largest_batch = max(self.largest_batch, other.largest_batch)

    @property
    def figures(self) -> dict[str, float]:
        """Medians and means, for the results file."""
        return {
            "frames_per_s": statistics.median(self.frames_per_s),
            "p50_ms": float(np.percentile(self.latencies_ms, 50)),
            "p95_ms": float(np.percentile(self.latencies_ms, 95)),
            "mean_batch": self.items / self.runs,
            "largest_batch": self.largest_batch,
            "queue_ms": 1000 * self.queue_s / self.requests,
            "compute_ms": 1000 * self.compute_s / self.requests,
        }


def run_load(connection: TritonConnection, load: Load, faces: np.ndarray, mels: np.ndarray, seconds: float) -> Seen:
    """Run one round of a load and return it. The sessions begin together; the last calls are waited for."""
    engine = TritonLips(connection, load.model, timeout_s=120.0, transport=load.transport)
    faces, mels = faces[: load.crops], mels[: load.crops]
    latencies: list[float] = []
    before = connection.statistics(load.model)
    gate = threading.Barrier(load.sessions + 1)

    def session() -> None:
        gate.wait()
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            engine.move(faces, mels)
            latencies.append(time.perf_counter() - begin)

    with ThreadPoolExecutor(load.sessions) as pool:
        running = [pool.submit(session) for _ in range(load.sessions)]
        gate.wait()
        begin = time.perf_counter()
        for each in running:
            each.result()
        taken = time.perf_counter() - begin
    counted = connection.statistics(load.model) - before
    return Seen(
        frames_per_s=[len(latencies) * load.crops / taken],
        latencies_ms=[1000 * latency for latency in latencies],
        requests=counted.requests,
        runs=counted.runs,
        items=counted.items,
        queue_s=counted.queue_s,
        compute_s=counted.compute_s,
        largest_batch=max(counted.batch_runs),
    )
