import pytest

from orchestrator.clock import now_ms
from orchestrator.store.dubs import DubStore
from orchestrator.store.schema import WebhookState
from tests.fakes.dubs import new_dub

LATER_MS = 60_000


@pytest.fixture
def store(tmp_path):
    store = DubStore(f"sqlite:///{tmp_path}/polylip.db")
    yield store
    store.close()


def test_a_webhook_is_due_once_its_dub_is_final(store):
    dub = store.create(new_dub(webhook="https://example.org/h"))
    store.create(new_dub())
    assert store.webhooks.claim(now_ms() + LATER_MS, lease_ms=1000) is None
    store.request_cancel(dub.id)
    claimed = store.webhooks.claim(now_ms(), lease_ms=1000)
    assert claimed is not None
    assert (claimed.id, claimed.webhook_attempts) == (dub.id, 1)


def test_a_claimed_webhook_is_nobody_elses_until_its_lease_ends(store):
    dub = store.create(new_dub(webhook="https://example.org/h"))
    store.request_cancel(dub.id)
    at_ms = now_ms()
    assert store.webhooks.claim(at_ms, lease_ms=1000) is not None
    assert store.webhooks.claim(at_ms + 999, lease_ms=1000) is None
    again = store.webhooks.claim(at_ms + 1000, lease_ms=1000)
    assert again is not None
    assert again.webhook_attempts == 2


def test_a_settled_webhook_is_never_sent_again(store):
    dub = store.create(new_dub(webhook="https://example.org/h"))
    store.request_cancel(dub.id)
    store.webhooks.settle(dub.id, WebhookState.WAITING, "HTTP 500", due_at_ms=5)
    assert store.webhooks.claim(4, lease_ms=1) is None
    assert store.webhooks.claim(5, lease_ms=1) is not None
    store.webhooks.settle(dub.id, WebhookState.DELIVERED, "HTTP 204")
    assert store.webhooks.claim(now_ms() + LATER_MS, lease_ms=1) is None
    assert store.get(dub.id).webhook_outcome == "HTTP 204"


def test_an_erased_dub_still_tells_how_it_ended(store):
    dub = store.create(new_dub(webhook="https://example.org/h"))
    store.erase(dub.id)
    assert store.erased(0, 10**15) == []
    claimed = store.webhooks.claim(now_ms(), lease_ms=1)
    assert claimed is not None
    assert claimed.webhook == "https://example.org/h"
    store.webhooks.settle(dub.id, WebhookState.FAILED, "gone")
    assert [erased.id for erased in store.erased(0, 10**15)] == [dub.id]
