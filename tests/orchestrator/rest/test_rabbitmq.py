"""The gateway on a real RabbitMQ: its promises hold when the broker is cut off, frozen, or restarted empty."""

from urllib.parse import urlsplit

import httpx
import pytest

from orchestrator.queues.rabbitmq import RabbitBroker
from orchestrator.settings import BrokerSettings
from tests.fakes.gateway import FakeOwner, post_clip, running_gateway
from tests.fakes.tcp_proxy import proxy_to
from tests.waiting import eventually

pytestmark = pytest.mark.rabbitmq

DEADLINE_S = 2.0


@pytest.fixture
def proxy(vhost_url):
    with proxy_to(urlsplit(vhost_url).port) as proxy:
        yield proxy


@pytest.fixture
def broker_settings(vhost_url, proxy):
    parts = urlsplit(vhost_url)
    through_proxy = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{proxy.port}")).geturl()
    return BrokerSettings(url=through_proxy, publish_timeout_s=DEADLINE_S, heartbeat_s=5)


@pytest.fixture
def gateway(tmp_path, broker_settings):
    broker = RabbitBroker(broker_settings)
    with running_gateway(tmp_path, broker=broker, gateway={"broker_timeout_s": DEADLINE_S}) as gateway:
        eventually(lambda: httpx.get(f"{gateway.url}/readyz").status_code == 200, what="readiness")
        yield gateway


def test_an_accepted_job_reaches_an_owner(gateway):
    dub_id = post_clip(gateway.url).json()["id"]
    with FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
        owner.go.set()
        eventually(lambda: [str(done) for done in owner.settled] == [dub_id], what="the end of the dub")
    assert httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()["state"] == "succeeded"


@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_a_broker_that_is_gone_or_silent_refuses_within_the_deadline_and_is_found_again(gateway, proxy, fault):
    if fault == "cut":
        proxy.cut(refuse=True)
    else:
        proxy.freeze()
    answer = post_clip(gateway.url)
    assert (answer.status_code, answer.json()["code"]) == (503, "broker-unavailable")
    assert answer.elapsed.total_seconds() < 3 * DEADLINE_S + 5
    assert gateway.leftovers() == []
    assert httpx.get(f"{gateway.url}/readyz").status_code == 503
    assert httpx.get(f"{gateway.url}/healthz").status_code == 200
    proxy.heal()
    eventually(lambda: post_clip(gateway.url).status_code == 202, timeout_s=30, what="an accepted upload")
