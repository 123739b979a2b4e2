"""A 202 is a promise: nothing that was promised is lost, nothing that was refused is kept."""

import threading
import uuid

import httpx
import pytest

from orchestrator.clock import now_ms
from orchestrator.errors import BrokerUnavailable, QueueFull, StoreUnavailable
from orchestrator.queues import topology
from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings
from orchestrator.store.artefacts import Artefact
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from tests.fakes.dubs import new_dub
from tests.fakes.gateway import FakeOwner, answer_to_head, gateway_settings, post_clip, running_gateway, wait_for


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
    answer = answer_to_head(gateway.url, "multipart/form-data; boundary=x", content_length=1_000_000)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"broker-unavailable" in answer


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
    wait_for(lambda: topology.JOBS in broker._queues, "the gateway has declared the queue")
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
    wait_for(lambda: gateway.dubs.by_key("k") is not None, "the first request's row is there")
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
    """The steps are: media stored, row inserted, job published, marked. A kill may come between any two."""

    def _stores(self, folder):
        settings = gateway_settings(folder)
        return DubStore(settings.store.database_url), MediaStore(settings.store.media_url)

    def test_killed_before_publishing_the_job_is_published_at_the_next_start(self, tmp_path):
        dubs, media = self._stores(tmp_path)
        new = new_dub(clip={})
        media.put_bytes(new.id, Artefact.CLIP, b"clip")
        dubs.create(new)
        dubs.close()
        wait_for(lambda: now_ms() > 0)
        with running_gateway(tmp_path) as gateway, FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
            owner.go.set()
            wait_for(lambda: owner.settled == [new.id], "the job has arrived")
            assert gateway.dubs.get(new.id).state == "succeeded"
            assert gateway.dubs.get(new.id).published

    def test_killed_before_marking_the_job_arrives_twice_and_is_done_once(self, tmp_path):
        dubs, _ = self._stores(tmp_path)
        new = new_dub()
        dubs.create(new)
        dubs.close()
        with running_gateway(tmp_path) as gateway, FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
            owner.go.set()
            wait_for(lambda: len(owner.settled) == 1)
            job = gateway.dubs.get(new.id)
            assert gateway.dubs.claim_running(job.id, "another") is None

    def test_jobs_of_before_are_published_once_the_broker_is_back(self, tmp_path, broker):
        dubs, _ = self._stores(tmp_path)
        waiting = [dubs.create(new_dub()) for _ in range(3)]
        dubs.close()
        broker.publish_errors = [BrokerUnavailable("starting")]
        with running_gateway(tmp_path, broker=broker) as gateway:
            wait_for(lambda: all(gateway.dubs.get(dub.id).published for dub in waiting))
            assert gateway.jobs_waiting() == 3

    def test_an_accepted_dub_is_still_known_after_a_restart(self, tmp_path):
        with running_gateway(tmp_path) as gateway:
            dub_id = post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json()["id"]
        with running_gateway(tmp_path) as gateway:
            shown = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()
            assert shown["state"] == "queued"
            assert post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json()["id"] == dub_id
            assert gateway.jobs_waiting() == 0  # it was confirmed before: the broker still has it
