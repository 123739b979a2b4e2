import asyncio
import base64
import hashlib
import hmac
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestrator.clock import now_ms
from orchestrator.errors import WebhookRefused
from orchestrator.rest.webhooks import RETRY_DELAYS_S, send_due, sign
from orchestrator.store.schema import WebhookState
from tests.fakes.dubs import new_dub
from tests.fakes.gateway import FakeOwner, gateway_parts, post_clip, running_gateway
from tests.waiting import eventually

SECRET = "correct horse battery staple"
OPEN = {"webhook_secret": SECRET, "webhook_allow_private": True}


class Receiver:
    """A listening webhook receiver that answers with `statuses` one after the other, then with 204."""

    def __init__(self):
        self.statuses = []
        self.got = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=1"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def parts(tmp_path):
    parts = gateway_parts(tmp_path, gateway=OPEN)
    yield parts
    parts.dubs.close()
    parts.broker.close()


def cancelled_dub(parts, url):
    dub = parts.dubs.create(new_dub(webhook=url))
    return parts.dubs.request_cancel(dub.id)


def test_the_end_of_a_dub_is_told_signed_as_the_specification_says(tmp_path, receiver):
    with running_gateway(tmp_path, gateway=OPEN) as gateway:
        with FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
            owner.go.set()
            dub_id = post_clip(gateway.url, webhook=receiver.url).json()["id"]
            eventually(lambda: bool(receiver.got), what="the webhook has come")
        path, headers, body = receiver.got[0]
        assert path == "/hook?a=1"
        assert headers["host"] == f"127.0.0.1:{receiver.port}"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert abs(int(headers["webhook-timestamp"]) - now_ms() / 1000) < 60
        told = json.loads(body)
        assert told["type"] == "dub.succeeded"
        assert told["data"]["id"] == dub_id
        assert told["data"]["error"] is None


def test_the_signature_matches_the_specifications_own_example():
    # standardwebhooks.com and its reference libraries verify this message
    body = b'{"test": 2432232314}'
    signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_says_base64_and_is_not_is_refused():
    with pytest.raises(WebhookRefused, match="base64"):
        sign("whsec_***", "msg", 1, b"")


def test_a_failed_try_is_repeated_later_under_the_same_id(parts, receiver):
    receiver.statuses = [500]
    dub = cancelled_dub(parts, receiver.url)
    assert asyncio.run(send_due(parts)) == 1
    after = parts.dubs.get(dub.id)
    assert (after.webhook_state, after.webhook_outcome) == (WebhookState.WAITING, "HTTP 500")
    delay_ms = after.webhook_due_at_ms - now_ms()
    assert 0 < delay_ms <= RETRY_DELAYS_S[0] * 1.2 * 1000
    assert asyncio.run(send_due(parts)) == 0  # not yet
    parts.dubs.webhooks.settle(dub.id, WebhookState.WAITING, "time goes by", due_at_ms=0)
    assert asyncio.run(send_due(parts)) == 1
    assert parts.dubs.get(dub.id).webhook_state is WebhookState.DELIVERED
    assert receiver.got[0][1]["webhook-id"] == receiver.got[1][1]["webhook-id"]
    assert receiver.got[0][2] == receiver.got[1][2]


def test_a_webhook_is_given_up_after_its_last_try(parts, receiver):
    dub = cancelled_dub(parts, receiver.url)
    for _ in range(len(RETRY_DELAYS_S) + 1):
        receiver.statuses = [503]
        assert parts.dubs.get(dub.id).webhook_state is WebhookState.WAITING
        parts.dubs.webhooks.settle(dub.id, WebhookState.WAITING, "time goes by", due_at_ms=0)
        asyncio.run(send_due(parts))
    after = parts.dubs.get(dub.id)
    assert (after.webhook_state, after.webhook_outcome) == (WebhookState.FAILED, "HTTP 503")
    assert len(receiver.got) == len(RETRY_DELAYS_S) + 1


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(parts, receiver):
    receiver.statuses = [410]
    dub = cancelled_dub(parts, receiver.url)
    asyncio.run(send_due(parts))
    assert parts.dubs.get(dub.id).webhook_state is WebhookState.FAILED


def test_redirects_are_not_followed(parts, receiver):
    receiver.statuses = [302]
    dub = cancelled_dub(parts, receiver.url)
    asyncio.run(send_due(parts))
    assert parts.dubs.get(dub.id).webhook_outcome == "HTTP 302"
    assert [path for path, _, _ in receiver.got] == ["/hook?a=1"]


def test_a_receiver_that_does_not_listen_is_tried_again(parts, receiver):
    receiver.close()
    receiver.close = lambda: None
    dub = cancelled_dub(parts, receiver.url)
    asyncio.run(send_due(parts))
    after = parts.dubs.get(dub.id)
    assert after.webhook_state is WebhookState.WAITING
    assert after.webhook_outcome.startswith("ConnectError")


def test_the_address_is_checked_again_when_it_is_called(parts, receiver):
    """A name that was public when the dub was made may lead inside by now."""
    strict = parts.settings.model_copy(
        update={"gateway": parts.settings.gateway.model_copy(update={"webhook_allow_private": False})}
    )
    dub = cancelled_dub(parts, receiver.url)
    asyncio.run(send_due(replace(parts, settings=strict)))
    assert receiver.got == []
    assert "not a public address" in parts.dubs.get(dub.id).webhook_outcome


def test_a_restart_sends_what_is_still_owed(tmp_path, receiver):
    parts = gateway_parts(tmp_path, gateway=OPEN)
    cancelled_dub(parts, receiver.url)
    parts.dubs.close()
    parts.broker.close()
    with running_gateway(tmp_path, gateway=OPEN):
        eventually(lambda: bool(receiver.got), what="the webhook has come")
    assert json.loads(receiver.got[0][2])["type"] == "dub.cancelled"


@pytest.mark.parametrize(
    ("settings", "word"),
    [({}, "secret"), ({"webhook_secret": SECRET}, "not a public address")],
    ids=["no secret", "private address"],
)
def test_a_webhook_that_may_not_be_called_refuses_the_upload(tmp_path, settings, word):
    with running_gateway(tmp_path, gateway=settings) as gateway:
        answer = post_clip(gateway.url, webhook="http://127.0.0.1:9/")
        assert (answer.status_code, answer.json()["code"]) == (422, "webhook-refused")
        assert word in answer.json()["detail"]
        assert gateway.leftovers() == []
