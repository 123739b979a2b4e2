"""The Prometheus metrics of the pipeline, one registry for each process.

Every label is bounded: stages, queue families, error codes, served models; never an id. `docs/OBSERVABILITY.md` says
what each is good for. The gateway has further ones of its own (orchestrator/rest/metrics.py).
"""

import contextlib
import time
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from client.errors import PolylipError
from orchestrator.errors import BrokerUnavailable, QueueFull, Unroutable

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter was made is a series more of each, and nobody asks
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

STAGE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""From a short translation to the speech of a long sentence at its deadline."""
WAIT_BUCKETS_S = (0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900)
"""From an idle queue to a backlog at which somebody should have looked."""
DUB_BUCKETS_S = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600)
RTF_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
OFFSET_BUCKETS_S = (0.01, 0.02, 0.04, 0.05, 0.08, 0.1, 0.15, 0.25, 0.5, 1)
"""50 ms and 100 ms are the bounds of `sync.window_ms` and `sync.resync_ms`."""

STAGE_ITEMS = Counter(
    "polylip_stage_items",
    "Messages that a stage has settled, by what became of them.",
    ["stage", "outcome"],
    registry=REGISTRY,
)
STAGE_IN_PROGRESS = Gauge("polylip_stage_in_progress", "Messages in work.", ["stage"], registry=REGISTRY)
STAGE_SECONDS = Histogram(
    "polylip_stage_duration_seconds",
    "Time in work, publishing left out; of successes.",
    ["stage"],
    buckets=STAGE_BUCKETS_S,
    registry=REGISTRY,
)
STAGE_LAST_SUCCESS = Gauge(
    "polylip_stage_last_success_timestamp_seconds", "Unix time of the last success.", ["stage"], registry=REGISTRY
)
QUEUE_WAIT_SECONDS = Histogram(
    "polylip_queue_wait_seconds",
    "From publishing (a retry: from the end of its delay) to a consumer's hands.",
    ["queue"],
    buckets=WAIT_BUCKETS_S,
    registry=REGISTRY,
)
PUBLISHED = Counter(
    "polylip_publish", "Messages offered to the broker, by its verdict.", ["queue", "result"], registry=REGISTRY
)
REDELIVERED = Counter(
    "polylip_redelivered", "Deliveries that were not the message's first try.", ["queue"], registry=REGISTRY
)
RETRIED = Counter("polylip_retried", "Messages put back for a later try.", ["queue", "reason"], registry=REGISTRY)
PARKED = Counter("polylip_parked", "Messages dead-lettered, by error code.", ["queue", "reason"], registry=REGISTRY)
RECONNECTS = Counter("polylip_reconnects", "Connections lost and sought anew.", ["peer"], registry=REGISTRY)
ENGINE_CALLS = Counter(
    "polylip_engine_calls", "Calls of Triton, by model and outcome.", ["model", "outcome"], registry=REGISTRY
)
ENGINE_SECONDS = Histogram(
    "polylip_engine_call_duration_seconds",
    "One call of Triton as its caller saw it; a stream: to its end.",
    ["model"],
    buckets=STAGE_BUCKETS_S,
    registry=REGISTRY,
)
SEGMENT_E2E_SECONDS = Histogram(
    "polylip_segment_e2e_seconds",
    "From the publishing of a sentence's first sound to its whole translation spoken.",
    buckets=WAIT_BUCKETS_S,
    registry=REGISTRY,
)
AV_OFFSET_SECONDS = Histogram(
    "polylip_av_offset_seconds",
    "Largest distance of a dub's sentences from the start of their source, of each dub.",
    buckets=OFFSET_BUCKETS_S,
    registry=REGISTRY,
)
DEADLINE_MISSED = Counter(
    "polylip_deadline_missed",
    "window: a sentence began outside sync.window_ms; stalled: no stage answered a session in time.",
    ["kind"],
    registry=REGISTRY,
)
DUBS_FINISHED = Counter(
    "polylip_dubs_finished",
    "Dubs and renders that an owner has settled: the report's outcome, or an error code.",
    ["outcome"],
    registry=REGISTRY,
)
DUBS_IN_PROGRESS = Gauge("polylip_dubs_in_progress", "Dubs that the owner works on.", registry=REGISTRY)
DUB_SECONDS = Histogram(
    "polylip_dub_duration_seconds", "Wall clock of a dub.", buckets=DUB_BUCKETS_S, registry=REGISTRY
)
DUB_RTF = Histogram(
    "polylip_dub_rtf_ratio", "Wall clock of a dub by the clip's duration.", buckets=RTF_BUCKETS, registry=REGISTRY
)
DUB_LAST_SUCCESS = Gauge(
    "polylip_dub_last_success_timestamp_seconds", "Unix time of the last dub that succeeded.", registry=REGISTRY
)

OTHER = "other"
_FAMILIES = ("audio_queue", "text_queue", "translation_queue", "jobs", "transcripts", "audio_output_queue")


def render() -> bytes:
    """Return the text exposition of the process's registry."""
    return generate_latest(REGISTRY)


def series_names(registry: CollectorRegistry) -> set[str]:
    """Return the names of all series that a registry may export, with their suffixes."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return {family.name + suffix for family in registry.collect() for suffix in suffixes.get(family.type, ("",))}


def queue_family(queue: str) -> str:
    """Return the queue's name without its owner's; a stranger's queue is `other`."""
    family = queue.partition(".")[0]
    return family if family in _FAMILIES else OTHER


def reason_label(reason: str) -> str:
    """Return the error code that a reason begins with; `other` for what is none of ours."""
    code = reason.partition(":")[0]
    return code if code in _codes(PolylipError) else OTHER


def prime_stage(stage: str, queue: str) -> None:
    """Make a stage's series exist with zeros: a counter that appears with its first failure cannot be seen to rise."""
    for outcome in ("done", "retried", "failed", "malformed", "unwanted"):
        STAGE_ITEMS.labels(stage, outcome)
    for metric in (STAGE_IN_PROGRESS, STAGE_SECONDS, STAGE_LAST_SUCCESS):
        metric.labels(stage)
    prime_queue(queue)


def prime_queue(queue: str) -> None:
    """Make the series of a queue's consumer exist with zeros."""
    family = queue_family(queue)
    for metric in (QUEUE_WAIT_SECONDS, REDELIVERED):
        metric.labels(family)
    for counter in (RETRIED, PARKED):
        counter.labels(family, OTHER)
    prime_publisher(queue)
    RECONNECTS.labels("broker")


def prime_publisher(queue: str) -> None:
    """Make the series of what is published to a queue exist with zeros."""
    for result in ("ok", "nack", "unroutable", "timeout"):
        PUBLISHED.labels(queue_family(queue), result)


def prime_owner() -> None:
    """Make the series of a session owner exist with zeros."""
    for queue in ("jobs", "transcripts", "audio_output_queue"):
        prime_queue(queue)
    for queue in ("audio_queue", "text_queue", "translation_queue"):
        prime_publisher(queue)
    for kind in ("window", "stalled"):
        DEADLINE_MISSED.labels(kind)
    DUBS_FINISHED.labels("dubbed")


@contextlib.contextmanager
def counted_publish(queue: str) -> Iterator[None]:
    """Count one message by the broker's verdict."""
    result = "ok"
    try:
        yield
    except QueueFull:
        result = "nack"
        raise
    except Unroutable:
        result = "unroutable"
        raise
    except BrokerUnavailable:
        result = "timeout"
        raise
    finally:
        PUBLISHED.labels(queue_family(queue), result).inc()


@contextlib.contextmanager
def counted_call(model: str) -> Iterator[None]:
    """Time one call of Triton and count it; `cancelled` when its stream was closed early."""
    begin_s = time.perf_counter()
    outcome = "ok"
    try:
        yield
    except GeneratorExit:
        outcome = "cancelled"
        raise
    except PolylipError as error:
        outcome = error.code
        raise
    except BaseException:
        outcome = OTHER
        raise
    finally:
        ENGINE_CALLS.labels(model, outcome).inc()
        ENGINE_SECONDS.labels(model).observe(time.perf_counter() - begin_s)


def _codes(kind: type[PolylipError]) -> set[str]:
    return {kind.code}.union(*(_codes(each) for each in kind.__subclasses__()))
