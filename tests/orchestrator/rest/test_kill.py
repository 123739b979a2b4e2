"""A gateway that is killed in the middle of an upload: what was promised is done, what was not leaves nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from orchestrator.clock import now_ms
from orchestrator.rest.background import ORPHAN_MS, sweep
from orchestrator.store.dubs import DubStore
from tests.fakes.gateway import FakeOwner, gateway_parts, gateway_settings, post_clip, running_gateway
from tests.waiting import eventually

CHECKOUT = Path(__file__).parents[3]


def killed_during(step, folder):
    """Upload to a gateway that dies instead of making the call `step`."""
    command = [sys.executable, "-m", "tests.fakes.dying_gateway", str(folder), step]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        url = process.stdout.readline().strip()
        with pytest.raises(httpx.TransportError):
            post_clip(url, headers={"Idempotency-Key": "k"})
        assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("step", ["publish", "mark_published"])
def test_a_job_whose_row_was_there_is_done_after_the_next_start(tmp_path, step):
    killed_during(step, tmp_path)
    with running_gateway(tmp_path) as gateway, FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
        owner.go.set()
        dub = gateway.dubs.by_key("k")
        eventually(lambda: owner.settled == [dub.id], what="the job was published again")
        again = post_clip(gateway.url, headers={"Idempotency-Key": "k"})  # the client's own second try
        assert (again.status_code, again.json()["id"]) == (202, str(dub.id))
        assert gateway.dubs.get(dub.id).state == "succeeded"
        assert gateway.jobs_waiting() == 0


def test_media_without_a_row_were_never_promised_and_are_swept(tmp_path):
    killed_during("create", tmp_path)
    store = DubStore(gateway_settings(tmp_path).store.database_url)
    assert store.by_key("k") is None
    store.close()
    parts = gateway_parts(tmp_path)
    kept = [path for path in tmp_path.rglob("clip") if path.is_file()]
    assert len(kept) == 2  # the upload, and the stored clip
    sweep(parts, now_ms() + ORPHAN_MS + 1000)
    assert not any(path.exists() for path in kept)
    parts.dubs.close()
    parts.broker.close()
