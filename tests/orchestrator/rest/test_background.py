import os
import uuid
from pathlib import Path

import anyio
import pytest

from orchestrator.clock import now_ms
from orchestrator.messages import decode
from orchestrator.queues import topology
from orchestrator.rest.background import LATE_FILES_MS, ORPHAN_MS, republish, sweep
from orchestrator.store.artefacts import Artefact
from tests.fakes.dubs import new_dub
from tests.fakes.gateway import gateway_parts
from tests.waiting import eventually

HOUR_MS = 3_600_000


@pytest.fixture
def gateway(tmp_path):
    parts = gateway_parts(tmp_path, store={"retention_hours": 2})
    yield parts
    parts.dubs.close()
    parts.broker.close()


def finished_dub(gateway, **changes):
    dub = gateway.dubs.create(new_dub(**changes))
    gateway.media.put_bytes(dub.id, Artefact.CLIP, b"clip")
    gateway.dubs.claim_running(dub.id)
    gateway.dubs.succeed(dub.id)
    return dub.id


def test_media_of_finished_dubs_are_kept_for_their_retention_and_then_erased(gateway):
    dub_id = finished_dub(gateway)
    sweep(gateway, now_ms() + HOUR_MS // 2)
    assert gateway.media.exists(dub_id, Artefact.CLIP)
    sweep(gateway, now_ms() + 2 * HOUR_MS + 1000)
    assert gateway.media.names(dub_id) == []
    assert gateway.dubs.is_cancelled(dub_id)


def test_dubs_that_are_not_final_are_never_erased(gateway):
    dub = gateway.dubs.create(new_dub())
    gateway.media.put_bytes(dub.id, Artefact.CLIP, b"clip")
    sweep(gateway, now_ms() + 1000 * HOUR_MS)
    assert gateway.media.exists(dub.id, Artefact.CLIP)


def test_a_file_that_a_late_owner_stores_after_the_erasure_is_swept(gateway):
    dub_id = finished_dub(gateway)
    gateway.dubs.erase(dub_id)
    gateway.media.put_bytes(dub_id, Artefact.RESULT, b"late")
    sweep(gateway, now_ms() + LATE_FILES_MS // 2)
    assert gateway.media.names(dub_id) == []


def test_the_row_of_an_erased_dub_goes_too_in_the_end(gateway):
    dub_id = finished_dub(gateway)
    gateway.dubs.erase(dub_id)
    sweep(gateway, now_ms() + HOUR_MS)
    assert gateway.dubs.exists(dub_id)
    sweep(gateway, now_ms() + 3 * HOUR_MS)
    assert not gateway.dubs.exists(dub_id)


def test_a_row_waits_for_its_webhook(gateway):
    dub_id = finished_dub(gateway, webhook="https://example.org/h")
    gateway.dubs.erase(dub_id)
    sweep(gateway, now_ms() + 3 * HOUR_MS)
    assert gateway.dubs.exists(dub_id)


def test_media_whose_row_was_never_inserted_are_swept_when_they_are_old(gateway):
    orphan = uuid.uuid4()
    gateway.media.put_bytes(orphan, Artefact.CLIP, b"clip")
    sweep(gateway, now_ms())
    assert gateway.media.exists(orphan, Artefact.CLIP)  # its request may still be under way
    sweep(gateway, now_ms() + ORPHAN_MS + 1000)
    assert gateway.media.names(orphan) == []


def test_uploads_that_a_crash_left_are_swept_when_they_are_old(gateway):
    folder = gateway.upload_dir / "upload-abc"
    folder.mkdir(parents=True)
    (folder / "clip").write_bytes(b"half")
    stranger = gateway.upload_dir / "something-else"
    stranger.mkdir()
    sweep(gateway, now_ms())
    assert folder.exists()
    sweep(gateway, now_ms() + ORPHAN_MS + 1000)
    assert not folder.exists()
    assert stranger.exists()


def test_an_upload_that_still_grows_is_not_swept(gateway):
    folder = Path(gateway.upload_dir / "upload-slow")
    folder.mkdir(parents=True)
    (folder / "clip").write_bytes(b"more and more")
    old_s = (now_ms() - 2 * ORPHAN_MS) / 1000
    os.utime(folder, (old_s, old_s))
    sweep(gateway, now_ms())
    assert folder.exists()


def test_a_render_whose_job_may_not_have_reached_the_broker_is_published_again(gateway):
    dub_id = finished_dub(gateway)
    segment_id = uuid.uuid4()
    gateway.dubs.renders.correct(dub_id, segment_id, 0, lambda before: before.changed({"skip": True}))
    render, _ = gateway.dubs.renders.request(dub_id)
    anyio.run(republish, gateway, now_ms() + 1000)
    jobs = []

    def take(delivery):
        jobs.append(decode(delivery.body))
        delivery.ack()

    subscription = gateway.broker.consume(topology.JOBS, take)
    eventually(lambda: jobs)
    subscription.close()
    assert [(job.dub_id, job.render) for job in jobs] == [(dub_id, render.id)]
    assert gateway.dubs.renders.unpublished(now_ms() + 1000) == []
