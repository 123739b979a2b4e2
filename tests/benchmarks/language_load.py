"""Requests to the served engines: one at a time, or several clients at once with what the backend counted meanwhile."""

import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from client.connection import TritonConnection
from client.tensors import item, text_array, unary_inputs
from deploy.triton.embedded import EmbeddedTriton
from tests.benchmarks.language_models import MT

TIMEOUT_S = 300.0
_COUNTERS = ("polylip_generate_steps", "polylip_generate_shares")


@dataclass(frozen=True)
class Together:
    """What several clients saw, each of whom sent one request after the other."""

    wall_s: float
    latencies_ms: list[float]
    mean_batch: float
    """Generations that shared a step of the decoder."""
    queue_ms: float
    """Until the backend took the request; it joins running ones at their next step."""

    @property
    def requests_per_s(self) -> float:
        """Over all clients."""
        return len(self.latencies_ms) / self.wall_s


def transcribe(connection: TritonConnection, model: str, audio: np.ndarray) -> None:
    """One recording through stt_whisper."""
    inputs = {"AUDIO": item(audio, batched=True), "LANGUAGE": text_array("en", batched=True)}
    connection.infer(model, unary_inputs(inputs), timeout_s=TIMEOUT_S)


def translate_directly(connection: TritonConnection, text: str, tokens: int) -> None:
    """One text through the pair's own model, with so many tokens."""
    count = np.array([tokens], np.int32)
    inputs = {"TEXT": text_array(text, batched=False), "MIN_NEW_TOKENS": count, "MAX_NEW_TOKENS": count}
    connection.infer(MT, unary_inputs(inputs), timeout_s=TIMEOUT_S)


def run_together(
    server: EmbeddedTriton,
    connection: TritonConnection,
    model: str,
    calls: Sequence[Callable[[], object]],
    repeats: int,
) -> Together:
    """Let as many clients as there are calls each do theirs `repeats` times."""
    latencies: list[float] = []

    def client(call: Callable[[], object]) -> None:
        for _ in range(repeats):
            begin = time.perf_counter()
            call()
            latencies.append(1000 * (time.perf_counter() - begin))

    before, counted = _counters(server, model), connection.statistics(model)
    begin = time.perf_counter()
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(client, call) for call in calls]:
            done.result()
    wall_s = time.perf_counter() - begin
    steps, shares = (after - earlier for after, earlier in zip(_counters(server, model), before, strict=True))
    counted = connection.statistics(model) - counted
    return Together(wall_s, latencies, shares / steps if steps else 1.0, 1000 * counted.queue_s / counted.requests)


def _counters(server: EmbeddedTriton, model: str) -> list[float]:
    with urllib.request.urlopen(server.metrics_url) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        values = {
            sample.name.removesuffix("_total"): sample.value
            for family in families
            for sample in family.samples
            if sample.labels.get("model") == model
        }
    return [values.get(name, 0.0) for name in _COUNTERS]
