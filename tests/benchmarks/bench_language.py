"""Whisper-small and Opus-MT at full size (random weights) through Triton's gRPC, against their peers in the same run.

Everybody gets the same weights, the same input and the same count of new tokens, decodes greedily in int8 on all cores
(PyTorch: fp32), and is timed from audio or text to text. Contenders take turns, so that whatever else the machine does
falls on everybody alike; a speed-up is the median of the rounds' own ratios. What a token costs is the slope between
two counts of tokens, what the rest costs (encoder, spectrogram, prompt) is what remains.

    python -m tests.benchmarks --only language
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Column, Table

from client.connection import TritonConnection
from client.mt import TritonMt
from deploy.triton.embedded import EmbeddedTriton
from tests.benchmarks import language_models as models
from tests.benchmarks.language_load import TIMEOUT_S, Together, run_together, transcribe, translate_directly
from tests.benchmarks.language_peers import CTranslate2, FasterWhisper, TorchMarian, TorchWhisper
from tests.benchmarks.results import record

ROUNDS = 5
SEGMENT_S = 10
CLIENTS = 8
MT_RUNS = 5
"""Translations of each kind in a round: one takes a tenth of a second."""
TEXTS = (
    "The committee decided yesterday that the old bridge across the river would have to be closed until next spring.",
    "Our neighbours bought a small house near the forest because their children wanted to keep two dogs and a horse.",
    "Nobody in the office had expected that the new software would be finished two weeks before the agreed date.",
    "She told the reporters that her team had worked on the vaccine for seven years without any public money.",
    "When the train finally arrived at the station, most of the passengers had already gone home by taxi or bus.",
    "The museum shows more than three hundred paintings, and every first Sunday of the month the entrance is free.",
    "If the weather stays as dry as it has been, the farmers will lose about half of their harvest this summer.",
    "He explained slowly and carefully how the machine works, but only a few of the students were listening to him.",
)

Milliseconds = dict[str, list[float]]
"""Contender -> one figure a round."""


@dataclass
class Measured:
    """All rounds."""

    ms: Milliseconds = field(default_factory=dict)
    together: dict[str, Together] = field(default_factory=dict)


def main() -> None:
    """Measure, print, record."""
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="polylip-bench-") as folder:
        begin = time.perf_counter()
        made = models.make_models(Path(folder))
        print(f"models made in {time.perf_counter() - begin:.0f} s", flush=True)
        measured = measure(made, Path(folder) / "run", threads)
    show(measured)
    record(figures(measured))


def measure(made: models.Models, run_dir: Path, threads: int) -> Measured:
    """Start the server and race."""
    names = [models.STT, models.STT_SHORT, models.MT, models.MT_ROUTER]
    with (
        EmbeddedTriton(names, repository=made.repository, run_dir=run_dir, ready_timeout_s=300.0) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        contenders = _speech(made, connection, threads) | _translation(made, connection, threads)
        measured = Measured(ms=_race(contenders))
        measured.together = _together(server, connection)
    return measured


def recording() -> np.ndarray:
    """Return noise whose loudness changes as speech's does: float32 [n], 16 kHz."""
    rng = np.random.default_rng(0)
    loudness = np.repeat(rng.uniform(0, 0.3, SEGMENT_S * 20), 800)
    return (rng.normal(size=loudness.size) * loudness).clip(-1, 1).astype(np.float32)


Contenders = Mapping[str, tuple[Callable[[], object], int]]
"""Name -> what runs, and how often in a round."""


def _speech(made: models.Models, connection: TritonConnection, threads: int) -> Contenders:
    audio, peer, torch = recording(), FasterWhisper(made, threads), TorchWhisper(made)
    many, few = models.STT_TOKENS, models.STT_SHORT_TOKENS
    return {
        "stt.triton": (lambda: transcribe(connection, models.STT, audio), 1),
        "stt.faster_whisper": (lambda: peer.transcribe(audio, many), 1),
        "stt.triton_short": (lambda: transcribe(connection, models.STT_SHORT, audio), 1),
        "stt.faster_whisper_short": (lambda: peer.transcribe(audio, few), 1),
        "stt.torch": (lambda: torch.transcribe(audio, many), 1),
    }


def _translation(made: models.Models, connection: TritonConnection, threads: int) -> Contenders:
    engine = TritonMt(connection, models.MT_ROUTER, timeout_s=TIMEOUT_S)
    peer, torch = CTranslate2(made, threads), TorchMarian(made)
    many, few, first = models.MT_TOKENS, models.MT_SHORT_TOKENS, TEXTS[:1]
    clients = [lambda text=text: engine.translate(text, "en", "es") for text in TEXTS]
    return {
        "mt.triton_b1": (clients[0], MT_RUNS),
        "mt.ctranslate2_b1": (lambda: peer.translate(first, many), MT_RUNS),
        "mt.triton_b8": (lambda: _at_once(clients), MT_RUNS),
        "mt.ctranslate2_b8": (lambda: peer.translate(TEXTS, many), MT_RUNS),
        "mt.triton_short": (lambda: translate_directly(connection, TEXTS[0], few), MT_RUNS),
        "mt.triton_pair": (lambda: translate_directly(connection, TEXTS[0], many), MT_RUNS),
        "mt.ctranslate2_short": (lambda: peer.translate(first, few), MT_RUNS),
        "mt.torch_b1": (lambda: torch.translate(first, many), 1),
        "mt.torch_b8": (lambda: torch.translate(TEXTS, many), 1),
    }


def _at_once(calls: list[Callable[[], str]]) -> None:
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


def _race(contenders: Contenders) -> Milliseconds:
    """Return the median of each round; a first round is dropped."""
    ms: Milliseconds = {name: [] for name in contenders}
    for turn in range(ROUNDS + 1):
        for name, (run, runs) in contenders.items():
            taken = statistics.median(_timed_ms(run) for _ in range(runs if turn else 1))
            ms[name] += [taken] * bool(turn)
    return ms


def _timed_ms(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - begin)


def _together(server: EmbeddedTriton, connection: TritonConnection) -> dict[str, Together]:
    """One client, then eight, of each engine."""
    audio, engine = recording(), TritonMt(connection, models.MT_ROUTER, timeout_s=TIMEOUT_S)
    hear = [lambda: transcribe(connection, models.STT, audio)] * CLIENTS
    say = [lambda text=text: engine.translate(text, "en", "es") for text in TEXTS]
    return {
        "stt.c1": run_together(server, connection, models.STT, hear[:1], 4),
        f"stt.c{CLIENTS}": run_together(server, connection, models.STT, hear, 2),
        "mt.c1": run_together(server, connection, models.MT, say[:1], 30),
        f"mt.c{CLIENTS}": run_together(server, connection, models.MT, say, 20),
    }


def figures(measured: Measured) -> dict[str, float]:
    """Flat, for the results file."""
    ms = measured.ms
    found = {f"{name}_ms": statistics.median(times) for name, times in ms.items()}
    stt, mt = (models.STT_TOKENS, models.STT_SHORT_TOKENS), (models.MT_TOKENS, models.MT_SHORT_TOKENS)
    found |= _parts("stt.triton", ms["stt.triton"], ms["stt.triton_short"], *stt)
    found |= _parts("stt.faster_whisper", ms["stt.faster_whisper"], ms["stt.faster_whisper_short"], *stt)
    found |= _parts("mt.triton", ms["mt.triton_pair"], ms["mt.triton_short"], *mt)
    found |= _parts("mt.ctranslate2", ms["mt.ctranslate2_b1"], ms["mt.ctranslate2_short"], *mt)
    for name, seen in measured.together.items():
        found[f"{name}.requests_per_s"] = seen.requests_per_s
        found[f"{name}.p50_ms"] = float(np.percentile(seen.latencies_ms, 50))
        found[f"{name}.p95_ms"] = float(np.percentile(seen.latencies_ms, 95))
        found[f"{name}.mean_batch"] = seen.mean_batch
        found[f"{name}.queue_ms"] = seen.queue_ms
    for engine in ("stt", "mt"):
        alone, many = (found[f"{engine}.c{clients}.requests_per_s"] for clients in (1, CLIENTS))
        found[f"{engine}.throughput_gain_c{CLIENTS}"] = many / alone
    found["stt.speedup_vs_torch"] = _ratio(ms["stt.torch"], ms["stt.triton"])
    found["stt.speedup_vs_faster_whisper"] = _ratio(ms["stt.faster_whisper"], ms["stt.triton"])
    for batch in ("b1", "b8"):
        found[f"mt.speedup_vs_torch_{batch}"] = _ratio(ms[f"mt.torch_{batch}"], ms[f"mt.triton_{batch}"])
        found[f"mt.speedup_vs_ctranslate2_{batch}"] = _ratio(ms[f"mt.ctranslate2_{batch}"], ms[f"mt.triton_{batch}"])
    return found


def _ratio(slow: list[float], fast: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def _parts(name: str, long: list[float], short: list[float], many: int, few: int) -> dict[str, float]:
    """Split the time of a request: a token, and all that is not tokens."""
    token = statistics.median((one - other) / (many - few) for one, other in zip(long, short, strict=True))
    return {f"{name}_token_ms": token, f"{name}_rest_ms": statistics.median(long) - many * token}


def show(measured: Measured) -> None:
    """Print."""
    console, found = Console(), figures(measured)
    table = Table(
        Column("engine", no_wrap=True),
        *("ms a request", "encoder and rest, ms", "a token, ms", "Triton is so many times faster"),
        title=f"10 s of sound, {models.STT_TOKENS} tokens; a sentence, {models.MT_TOKENS} tokens",
    )
    triton = {"stt": "stt.triton", "mt_b1": "mt.triton_b1", "mt_b8": "mt.triton_b8"}
    for name, times in measured.ms.items():
        engine, _, rest = name.partition(".")
        against = measured.ms[triton[f"{engine}_{rest[-2:]}" if rest[-2:] in ("b1", "b8") else "stt"]]
        if rest.endswith(("_short", "_pair")):
            continue
        base = name.removesuffix("_b1")
        parts = [f"{found[key]:.1f}" if (key := f"{base}_{part}_ms") in found else "" for part in ("rest", "token")]
        table.add_row(name, f"{statistics.median(times):.0f}", *parts, f"{_ratio(times, against):.2f}")
    console.print(table)
    table = Table(
        "clients", "requests/s", "p50 ms", "p95 ms", "generations a step", "queue ms", title="at the same time"
    )
    for name, seen in measured.together.items():
        latencies = (f"{np.percentile(seen.latencies_ms, share):.0f}" for share in (50, 95))
        table.add_row(name, f"{seen.requests_per_s:.2f}", *latencies, f"{seen.mean_batch:.2f}", f"{seen.queue_ms:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
