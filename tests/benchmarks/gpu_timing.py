"""Timing on a GPU, and what is told of it. Numbers only: no network, no variant."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """One way of running one network at one batch size."""

    network: str
    variant: str
    batch: int
    mean_ms: float
    """Of one run of the whole batch, as the other two."""
    std_ms: float
    min_ms: float
    max_abs: float
    """Greatest difference of any output value from PyTorch's fp32."""


@dataclass(frozen=True)
class NotRun:
    """A way that this machine does not offer, or that failed."""

    network: str
    variant: str
    batch: int
    reason: str


def times_ms(run: Callable[[], object], device: str, runs: int, warmups: int) -> list[float]:
    """Time `run` one run after the other, on a GPU by CUDA events; the warm-ups are not counted."""
    for _ in range(warmups):
        run()
    return [_on_gpu_ms(run) for _ in range(runs)] if device == "cuda" else [_on_cpu_ms(run) for _ in range(runs)]


def _on_gpu_ms(run: Callable[[], object]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    run()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end))


def _on_cpu_ms(run: Callable[[], object]) -> float:
    begin_s = time.perf_counter()
    run()
    return (time.perf_counter() - begin_s) * 1000


def summary(times: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, standard deviation (of the sample) and minimum."""
    return statistics.fmean(times), statistics.stdev(times) if len(times) > 1 else 0.0, min(times)


def table(results: Sequence[Timing | NotRun], baseline: str) -> str:
    """Lay the results out as text; the speed-up is against `baseline` of the same network and batch, by means."""
    means = {(each.network, each.batch): each.mean_ms for each in results if _is(each, baseline)}
    lines = [
        f"{'network':9} {'variant':22} {'batch':>5} {'mean ms':>9} {'std':>7} {'min':>9} {'ms/item':>8} "
        f"{'speed-up':>8} {'max diff':>9}"
    ]
    for each in results:
        start = f"{each.network:9} {each.variant:22} {each.batch:5}"
        if isinstance(each, NotRun):
            lines.append(f"{start} not run: {each.reason}")
            continue
        slow_ms = means.get((each.network, each.batch))
        faster = f"{slow_ms / each.mean_ms:7.2f}x" if slow_ms else f"{'-':>8}"
        lines.append(
            f"{start} {each.mean_ms:9.3f} {each.std_ms:7.3f} {each.min_ms:9.3f} {each.mean_ms / each.batch:8.3f} "
            f"{faster} {each.max_abs:9.2g}"
        )
    return "\n".join(lines)


def _is(result: Timing | NotRun, variant: str) -> bool:
    return isinstance(result, Timing) and result.variant == variant
