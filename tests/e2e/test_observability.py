"""What operators look at is there: every metric of dashboards and alerts, a dub's whole trace, ids in log lines."""

import json
import re
import urllib.request
from collections import defaultdict

import pytest

from deploy.check.observability import used_series
from deploy.stack.services import COMMANDS, GATEWAY
from deploy.triton.embedded import CHECKOUT
from orchestrator.queues.broker import QueueSpec
from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import BrokerSettings
from orchestrator.telemetry.listing import read_spans, rows_of
from tests.waiting import eventually

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]

GPU_METRICS = {"nv_gpu_utilization", "nv_gpu_memory_used_bytes", "nv_gpu_memory_total_bytes"}
"""Triton exports them where it has a GPU (its user guide, "Metrics"); here there is none to ask."""
OF_PROMETHEUS = {"up"}
SAMPLE = re.compile(r"^([a-zA-Z_]\w*)(?:\{(.*)\})? [^ ]+$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')
LABELS_OF_PROMETHEUS = {"job", "instance"}
"""Set while scraping."""
SPANS = {
    "POST /v1/dubs": "gateway",
    "publish jobs": "gateway",
    "queue jobs": "owner",
    "dub": "owner",
    "session": "owner",
    "segment": "owner",
    "publish audio_queue": "owner",
    "queue audio_queue": "worker-stt",
    "stage stt": "worker-stt",
    "triton stt_pocketsphinx": "worker-stt",
    "queue transcripts": "owner",
    "queue text_queue": "worker-mt",
    "stage mt": "worker-mt",
    "triton mt_apertium": "worker-mt",
    "queue translation_queue": "worker-tts",
    "stage tts": "worker-tts",
    "triton tts_espeak": "worker-tts",
    "queue audio_output_queue": "owner",
    "reply": "owner",
    "triton faces_haar": "owner",
    "render": "owner",
    "triton lips_warp": "owner",
    "encode": "owner",
}


def scrape(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def labels_by_series(pages):
    """Return the label names that the samples of each series have."""
    labels = defaultdict(set)
    for name, inside in SAMPLE.findall("\n".join(pages)):  # prometheus_client's parser renames Triton's counters
        labels[name] |= set(LABEL.findall(inside))
    return labels


@pytest.fixture
def finished(gateway, talking_clip):
    done = gateway.wait(gateway.create(talking_clip(), "es")["id"])
    assert done["state"] == "succeeded", done["error"]
    return done["id"]


def rabbit_pages(node):
    broker = RabbitBroker(BrokerSettings(url=node.url))
    broker.declare(QueueSpec("observed"))
    broker.close()
    queues = f"{node.prometheus_url}/metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count"
    eventually(lambda: "rabbitmq_detailed_queue_consumers{" in scrape(queues), what="figures of the queue")
    return [scrape(f"{node.prometheus_url}/metrics"), scrape(queues)]


def test_every_metric_of_a_dashboard_or_an_alert_is_exported_by_a_run(stack, metrics_port, finished, rabbit_node):
    info = stack.up()
    urls = [f"{info.gateway_url}/metrics", info.triton_metrics_url]
    urls += [f"http://127.0.0.1:{metrics_port + n}/metrics" for n, name in enumerate(COMMANDS) if name != GATEWAY]
    exported = labels_by_series([*map(scrape, urls), *rabbit_pages(rabbit_node)])
    used = used_series(CHECKOUT)
    assert len(used) > 50
    missing = [
        (selector.metric, selector.labels, where)
        for selector, where in used.items()
        if selector.metric not in GPU_METRICS | OF_PROMETHEUS
        and (
            selector.metric not in exported
            or not set(selector.labels) - LABELS_OF_PROMETHEUS <= exported[selector.metric]
        )
    ]
    assert missing == []


def test_one_trace_leads_from_the_upload_through_every_queue_into_triton_and_back(stack, trace_dir, finished):
    (begun,) = [line for line in log_lines(stack, "gateway") if line.get("session") == finished]
    spans = [span for span in read_spans(trace_dir) if span.trace_id == begun["trace_id"]]
    by_name = {span.name: span.service.removeprefix("polylip-") for span in spans}
    assert {name: by_name.get(name) for name in SPANS} == SPANS
    roots = [row.name for row in rows_of(spans, begun["trace_id"]) if row.depth == 0]
    assert roots == ["POST /v1/dubs"]


def test_every_log_line_about_a_dub_names_its_trace(stack, finished):
    lines = [line for name in COMMANDS for line in log_lines(stack, name) if line.get("session") == finished]
    assert {line.get("stage") for line in lines} >= {"stt", "mt", "tts", "owner"}
    assert len({line.get("trace_id") for line in lines}) == 1


def log_lines(stack, name):
    text = (stack.logs / f"{name}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
