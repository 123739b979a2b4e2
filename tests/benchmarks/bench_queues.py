"""How long the queues take: publish until confirmed, publish until in the consumer's hands, many publishers at once.

Starts a RabbitMQ node of its own, prints a JSON object and records it:

    python -m tests.benchmarks --only queues
"""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.rabbitmq.node import RabbitNode
from orchestrator.queues.broker import Broker, Delivery, QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import BrokerSettings
from tests.benchmarks.results import record

SIZES_BYTES = {"text_2kB": 2_000, "chunk_10s_320kB": 320_000}
THREADS = 8
ROUNDS = 300


def confirm_ms(broker: Broker, queue: str, body: bytes, rounds: int) -> list[float]:
    """Time `publish` alone, one message after the other, with no consumer; empty the queue afterwards."""
    taken = [_timed_ms(lambda: broker.publish(queue, body)) for _ in range(rounds)]
    drain(broker, queue, rounds)
    return taken


def drain(broker: Broker, queue: str, count: int) -> None:
    """Take `count` messages off the queue."""
    left = threading.Semaphore(0)

    def handle(delivery: Delivery) -> None:
        delivery.ack()
        left.release()

    subscription = broker.consume(queue, handle, prefetch=20)
    for _ in range(count):
        left.acquire()
    subscription.close()


def hop_ms(broker: Broker, queue: str, body: bytes, rounds: int) -> list[float]:
    """Time from before `publish` until the handler has the message."""
    arrived = threading.Event()
    at_s: list[float] = []

    def handle(delivery: Delivery) -> None:
        at_s.append(time.perf_counter())
        arrived.set()
        delivery.ack()

    subscription = broker.consume(queue, handle)
    taken = []
    for _ in range(rounds):
        arrived.clear()
        begin_s = time.perf_counter()
        broker.publish(queue, body)
        arrived.wait()
        taken.append((at_s[-1] - begin_s) * 1000)
    subscription.close()
    return taken


def messages_per_s(broker: Broker, queue: str, body: bytes, rounds: int) -> float:
    """Publish from `THREADS` threads at once, with no consumer; empty the queue afterwards."""
    count = rounds // THREADS * THREADS
    threads = [
        threading.Thread(target=lambda: [broker.publish(queue, body) for _ in range(rounds // THREADS)])
        for _ in range(THREADS)
    ]
    begin_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = count / (time.perf_counter() - begin_s)
    drain(broker, queue, count)
    return rate


def measure(broker: Broker, rounds: int) -> dict[str, object]:
    figures: dict[str, object] = {}
    for spec in (QueueSpec("bench.work"), QueueSpec("bench.reply", durable_work=False)):
        broker.declare(spec)
        kind = "work queue" if spec.durable_work else "reply queue"
        for name, size in SIZES_BYTES.items():
            body = bytes(size)
            confirm_ms(broker, spec.name, body, 20)  # warm
            figures[f"{kind}, {name}"] = {
                "confirm": _percentiles(confirm_ms(broker, spec.name, body, rounds)),
                "hop": _percentiles(hop_ms(broker, spec.name, body, rounds)),
                f"messages_per_s_{THREADS}_threads": round(messages_per_s(broker, spec.name, body, rounds)),
            }
    return figures


def _timed_ms(call: Callable[[], None]) -> float:
    begin_s = time.perf_counter()
    call()
    return (time.perf_counter() - begin_s) * 1000


def _percentiles(values_ms: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values_ms, n=100)
    return {"p50_ms": round(cuts[49], 2), "p99_ms": round(cuts[98], 2)}


@contextmanager
def _rabbit() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory() as folder:
        node = RabbitNode(Path(folder))
        node.start()
        broker = RabbitBroker(BrokerSettings(url=node.url))
        try:
            yield broker
        finally:
            broker.close()
            node.stop()


def main(rounds: int = ROUNDS) -> None:
    """Measure both brokers and record the figures."""
    memory = MemoryBroker(BrokerSettings())
    try:
        figures = {"memory": measure(memory, rounds)}
    finally:
        memory.close()
    with _rabbit() as broker:
        figures["rabbitmq"] = measure(broker, rounds)
    print(json.dumps(figures, indent=2))
    record(dict(_flat("queues", figures)))


def _flat(prefix: str, figures: dict) -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value


if __name__ == "__main__":
    main()
