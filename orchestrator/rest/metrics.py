"""The gateway's Prometheus metrics, in a registry of its own so that several applications fit into one process."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.errors import BrokerUnavailable, QueueFull, StoreUnavailable, TooManyDubs
from orchestrator.store.dubs import DubStore
from orchestrator.store.schema import WebhookState
from orchestrator.telemetry import metrics as pipeline

DURATION_BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60, 300)
"""From a look at the state to an upload over a slow line."""


class GatewayMetrics:
    """Counters of one gateway; labels are bounded (no ids)."""

    def __init__(self, dubs: DubStore) -> None:
        """Register everything; the dubs are counted in the store at each scrape."""
        self._registry = CollectorRegistry()
        pipeline.prime_publisher("jobs")
        self._registry.register(_DubCollector(dubs))
        self.uploads_rejected = Counter(
            "polylip_upload_rejected", "Uploads refused, by problem code.", ["reason"], registry=self._registry
        )
        self.webhooks = Counter("polylip_webhook_tries", "Webhooks sent.", ["outcome"], registry=self._registry)
        for state in (WebhookState.WAITING, WebhookState.DELIVERED, WebhookState.FAILED):
            self.webhooks.labels(state.value)
        for refused in (TooManyDubs, QueueFull, BrokerUnavailable):
            self.uploads_rejected.labels(refused.code)
        self.request_seconds = Histogram(
            "polylip_http_request_duration_seconds",
            "Time to the first byte of the answer.",
            ["method", "route", "status"],
            buckets=DURATION_BUCKETS_S,
            registry=self._registry,
        )

    @property
    def registry(self) -> CollectorRegistry:
        """The gateway's own."""
        return self._registry

    def render(self) -> bytes:
        """Return the text exposition: the gateway's own and what every process has."""
        return generate_latest(self._registry) + pipeline.render()


class _DubCollector(Collector):
    def __init__(self, dubs: DubStore) -> None:
        self._dubs = dubs

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Spare the registry a query at registration."""
        yield GaugeMetricFamily("polylip_dubs", "Dubs by state.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count now; while the store is away the metric is missing, which an alert can see."""
        try:
            counts = self._dubs.counts()
        except StoreUnavailable:
            return
        family = GaugeMetricFamily("polylip_dubs", "Dubs by state.", labels=["state"])
        for state, number in counts.items():
            family.add_metric([state.value], number)
        yield family
