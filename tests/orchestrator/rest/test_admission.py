"""A 202 is a promise: nothing that was promised is lost, nothing that was refused is kept."""

import threading
import uuid

import httpx
import pytest

from orchestrator.errors import BrokerUnavailable, QueueFull, StoreUnavailable
from orchestrator.queues import topology
from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings
from orchestrator.store.dubs import DubStore
from tests.fakes.dubs import new_dub
from tests.fakes.gateway import answer_to_head, gateway_settings, post_clip, running_gateway
from tests.waiting import eventually


class FailingBroker(MemoryBroker):
    """A MemoryBroker whose next publishes raise `publish_errors`, and whose check raises `check_error`."""

    def __init__(self, settings):
        super().__init__(settings)
        self.publish_errors = []
        self.check_error = None
        self.hold = threading.Event()
        self.hold.set()

    def check(self):
        if self.check_error is not None:
            raise self.check_error
        super().check()

    def publish(self, queue, body, headers=None):
        self.hold.wait()
        if self.publish_errors:
            raise self.publish_errors.pop(0)
        super().publish(queue, body, headers)


@pytest.fixture
def broker():
    return FailingBroker(BrokerSettings())


@pytest.fixture
def gateway(tmp_path, broker):
    with running_gateway(tmp_path, broker=broker) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("error", "code"),
    [(BrokerUnavailable("no confirm within 10 s"), "broker-unavailable"), (QueueFull("jobs is full"), "queue-full")],
)
def test_a_job_that_the_broker_does_not_take_is_refused_and_forgotten(gateway, broker, error, code):
    broker.publish_errors = [error]
    answer = post_clip(gateway.url, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["retry-after"]) > 0
    assert gateway.leftovers() == []
    assert sum(gateway.dubs.counts().values()) == 0
    assert post_clip(gateway.url, headers={"Idempotency-Key": "k"}).status_code == 202


def test_a_broker_that_is_away_refuses_before_the_body_is_read(gateway, broker):
    broker.check_error = BrokerUnavailable("connection refused")
    status, body = answer_to_head(gateway.url, "multipart/form-data; boundary=x", content_length=1_000_000)
    assert status == 503
    assert b"broker-unavailable" in body


def test_an_engine_host_that_is_away_is_said_so(gateway):
    gateway.triton.away = True
    answer = post_clip(gateway.url)
    assert (answer.status_code, answer.json()["code"]) == (503, "engine-unavailable")
    assert gateway.leftovers() == []


def test_an_engine_that_does_not_state_its_languages_is_a_bad_gateway(gateway):
    gateway.triton.models["mt_apertium"] = {}
    answer = post_clip(gateway.url)
    assert (answer.status_code, answer.json()["code"]) == (502, "engine-contract-violation")


def test_a_queue_that_vanished_is_declared_again(gateway, broker):
    eventually(lambda: topology.JOBS in broker._queues, what="the gateway has declared the queue")
    del broker._queues[topology.JOBS]
    assert post_clip(gateway.url).status_code == 202
    assert gateway.jobs_waiting() == 1


def test_a_twin_promises_nothing_before_the_first_request_reached_the_broker(gateway, broker):
    broker.publish_errors = [BrokerUnavailable("no confirm")]
    broker.hold.clear()
    answers = {}

    def post(name):
        answers[name] = post_clip(gateway.url, headers={"Idempotency-Key": "k"})

    threads = {name: threading.Thread(target=post, args=(name,)) for name in ("first", "twin")}
    threads["first"].start()
    eventually(lambda: gateway.dubs.by_key("k") is not None, what="the first request's row is there")
    threads["twin"].start()
    broker.hold.set()
    for thread in threads.values():
        thread.join()
    assert answers["first"].status_code == 503
    if answers["twin"].status_code == 202:  # it came after the first one was forgotten, and is a dub of its own
        assert gateway.dubs.get(uuid.UUID(answers["twin"].json()["id"])).published
    else:
        assert answers["twin"].status_code == 503


def test_a_full_media_store_is_said_so_and_leaves_nothing(gateway, monkeypatch):
    def full(*_arguments):
        raise StoreUnavailable("media store: No space left on device")

    monkeypatch.setattr(gateway.media, "put_file", full)
    answer = post_clip(gateway.url)
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert gateway.leftovers() == []
    assert gateway.jobs_waiting() == 0


class TestRestart:
    def test_jobs_of_before_are_published_once_the_broker_is_back(self, tmp_path, broker):
        dubs = DubStore(gateway_settings(tmp_path).store.database_url)
        waiting = [dubs.create(new_dub()) for _ in range(3)]
        dubs.close()
        broker.publish_errors = [BrokerUnavailable("starting")]
        with running_gateway(tmp_path, broker=broker) as gateway:
            eventually(lambda: all(gateway.dubs.get(dub.id).published for dub in waiting))
            assert gateway.jobs_waiting() == 3

    def test_an_accepted_dub_is_still_known_after_a_restart(self, tmp_path):
        with running_gateway(tmp_path) as gateway:
            dub_id = post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json()["id"]
        with running_gateway(tmp_path) as gateway:
            shown = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()
            assert shown["state"] == "queued"
            assert post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json()["id"] == dub_id
            assert gateway.jobs_waiting() == 0  # it was confirmed before: the broker still has it
