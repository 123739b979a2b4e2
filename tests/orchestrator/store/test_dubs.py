import sqlite3
import subprocess
import sys
import threading
import uuid
from dataclasses import replace
from fractions import Fraction

import pytest

from orchestrator.clock import now_ms
from orchestrator.errors import (
    DubNotFound,
    IllegalTransition,
    SessionCancelled,
    StoreUnavailable,
    TooManyDubs,
)
from orchestrator.media.clip import ClipInfo
from orchestrator.store.dubs import DubStore
from orchestrator.store.rows import clip_facts
from orchestrator.store.schema import EventKind
from orchestrator.store.states import DubState
from tests.fakes.dubs import new_dub

FUTURE_MS = 10**15


@pytest.fixture
def database_url(tmp_path):
    return f"sqlite:///{tmp_path}/deep/er/polylip.db"


@pytest.fixture
def store(database_url):
    store = DubStore(database_url)
    yield store
    store.close()


def test_a_dub_reads_back_as_it_was_created(store):
    new = new_dub(
        engines={"stt": "stt_x"}, clip_name="naïve 🎬.mp4", webhook="https://example.org/h", source_language=""
    )
    made = store.create(new)
    assert store.get(new.id) == made
    assert made.state is DubState.QUEUED
    assert not made.published
    for name in ("id", "engines", "clip_name", "webhook", "source_language", "target_language", "clip", "fingerprint"):
        assert getattr(made, name) == getattr(new, name)


def test_a_dub_survives_a_restart(store, database_url):
    new = new_dub()
    store.create(new)
    store.close()
    again = DubStore(database_url)
    assert again.get(new.id).state is DubState.QUEUED
    again.close()


def test_the_way_of_a_dub_is_told_as_events_in_order(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id, "owner-1")
    assert store.progress(new.id, "stt", 0.5, "2 of 4")
    assert store.progress(new.id, "stt", 7.0)
    assert store.progress(new.id, "mt", -1.0, data={"sentences": 3})
    done = store.succeed(new.id, {"sentences": 3})
    events = store.events.after(new.id)
    assert [event.kind for event in events] == [EventKind.STATE] * 2 + [EventKind.PROGRESS] * 3 + [EventKind.STATE]
    assert [event.data.get("state") for event in events] == ["queued", "running", None, None, None, "succeeded"]
    assert [event.progress for event in events][2:5] == [0.5, 1.0, 0.0]
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert store.events.after(new.id, last_event_id=events[2].id) == events[3:]
    assert store.events.after(new.id, limit=2) == events[:2]
    assert [(stage.stage, stage.progress) for stage in store.events.stages(new.id)] == [("stt", 1.0), ("mt", 0.0)]
    assert done.summary == {"sentences": 3}
    assert done.finished_at_ms is not None


def test_events_of_other_dubs_are_not_seen(store):
    one, other = new_dub(), new_dub()
    store.create(one)
    store.create(other)
    assert {event.dub_id for event in store.events.after(one.id)} == {one.id}


def test_a_failure_keeps_its_code_and_its_reason(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id)
    failed = store.fail(new.id, "stalled", "no stage answered")
    assert (failed.state, failed.error_code, failed.error_detail) == (DubState.FAILED, "stalled", "no stage answered")
    last = store.events.after(new.id)[-1]
    assert last.data == {"state": "failed", "error": {"code": "stalled", "detail": "no stage answered"}}


def test_a_final_dub_never_changes_its_state(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id)
    store.succeed(new.id)
    with pytest.raises(IllegalTransition):
        store.fail(new.id, "x", "y")
    assert store.claim_running(new.id) is None
    assert store.request_cancel(new.id).state is DubState.SUCCEEDED
    assert not store.progress(new.id, "stt", 1.0)


def test_a_dub_cannot_succeed_without_having_run(store):
    new = new_dub()
    store.create(new)
    with pytest.raises(IllegalTransition):
        store.succeed(new.id)
    assert store.get(new.id).state is DubState.QUEUED


def test_a_job_delivered_again_after_its_owner_died_is_taken_over(store):
    new = new_dub()
    store.create(new)
    assert store.claim_running(new.id, "owner-1") is not None
    taken = store.claim_running(new.id, "owner-2")
    assert taken is not None
    assert taken.owner == "owner-2"


def test_a_duplicate_of_a_job_that_its_owner_runs_already_is_refused(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id, "owner-1")
    assert store.claim_running(new.id, "owner-1") is None


def test_a_claimed_job_counts_as_published(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id)
    assert store.get(new.id).published
    assert store.unpublished(FUTURE_MS) == []


def test_cancelling_tells_the_owner_and_refuses_its_result(store):
    new = new_dub()
    store.create(new)
    store.claim_running(new.id)
    assert not store.is_cancelled(new.id)
    store.request_cancel(new.id)
    assert store.is_cancelled(new.id)
    assert not store.progress(new.id, "lips", 0.9)
    with pytest.raises(SessionCancelled):
        store.succeed(new.id)
    with pytest.raises(SessionCancelled):
        store.fail(new.id, "x", "y")


def test_erasing_cancels_forgets_and_is_idempotent(store):
    new = new_dub(clip_name="my secret.mp4", idempotency_key="k")
    store.create(new)
    store.claim_running(new.id)
    store.progress(new.id, "stt", 1.0, "heard: my secret")
    store.erase(new.id)
    store.erase(new.id)
    with pytest.raises(DubNotFound, match="erased"):
        store.get(new.id)
    assert store.is_cancelled(new.id)
    assert store.exists(new.id)
    assert [event.data["state"] for event in store.events.after(new.id)] == ["queued", "running", "cancelled"]
    [erased] = store.erased(0, FUTURE_MS)
    assert (erased.clip_name, erased.clip, erased.idempotency_key) == ("", {}, None)
    assert store.create(new_dub(idempotency_key="k")).id != new.id


def test_a_discarded_dub_leaves_no_trace(store):
    new = new_dub()
    store.create(new)
    store.discard(new.id)
    assert not store.exists(new.id)
    assert store.events.after(new.id) == []
    assert store.claim_running(new.id) is None
    assert store.is_cancelled(new.id)
    with pytest.raises(SessionCancelled):
        store.succeed(new.id)


@pytest.mark.parametrize("call", ["get", "erase", "request_cancel"])
def test_an_unknown_dub_is_not_found(store, call):
    with pytest.raises(DubNotFound):
        getattr(store, call)(uuid.uuid4())


def test_the_same_idempotency_key_gives_the_first_dub(store):
    first = store.create(new_dub(idempotency_key="k"))
    again = store.create(new_dub(idempotency_key="k", fingerprint="0" * 64))
    assert again == first
    assert store.by_key("k") == first
    assert store.by_key(None) is None
    assert store.by_key("other") is None


def test_many_at_once_with_one_key_make_one_dub(store, database_url):
    stores = [store, DubStore(database_url)]
    found = []
    barrier = threading.Barrier(8)

    def create(index):
        barrier.wait()
        found.append(stores[index % 2].create(new_dub(idempotency_key="same")).id)

    threads = [threading.Thread(target=create, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores[1].close()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert store.counts()[DubState.QUEUED] == 1


def test_more_active_dubs_than_allowed_are_refused_until_one_ends(store):
    first = store.create(new_dub(), max_active=2)
    store.create(new_dub(), max_active=2)
    assert store.active() == 2
    with pytest.raises(TooManyDubs):
        store.create(new_dub(), max_active=2)
    store.request_cancel(first.id)
    store.create(new_dub(), max_active=2)


def test_an_idempotent_answer_is_given_even_when_no_more_dubs_are_taken(store):
    first = store.create(new_dub(idempotency_key="k"), max_active=1)
    assert store.create(new_dub(idempotency_key="k"), max_active=1) == first


def test_only_queued_and_unconfirmed_jobs_are_published_again(store):
    waiting, confirmed, cancelled = (store.create(new_dub()) for _ in range(3))
    store.mark_published(confirmed.id)
    store.request_cancel(cancelled.id)
    assert [dub.id for dub in store.unpublished(FUTURE_MS)] == [waiting.id]
    assert store.unpublished(waiting.created_at_ms) == []


def test_dubs_expire_by_the_time_they_ended(store):
    done, queued = store.create(new_dub()), store.create(new_dub())
    store.claim_running(done.id)
    store.succeed(done.id)
    assert store.expired(now_ms() - 60_000) == []
    assert [dub.id for dub in store.expired(FUTURE_MS)] == [done.id]
    store.erase(done.id)
    assert store.expired(FUTURE_MS) == []
    assert store.get(queued.id).state is DubState.QUEUED


def test_counts_name_every_state_and_leave_erased_dubs_out(store):
    kept, erased = store.create(new_dub()), store.create(new_dub())
    store.erase(erased.id)
    store.claim_running(kept.id)
    assert store.counts() == {state: int(state is DubState.RUNNING) for state in DubState}


def test_two_stores_on_one_file_see_each_other_and_never_lose_a_write(store, database_url):
    other = DubStore(database_url)
    new = new_dub()
    store.create(new)
    assert other.claim_running(new.id) is not None

    def write(which, stage):
        for step in range(25):
            assert which.progress(new.id, stage, step / 25)

    threads = [threading.Thread(target=write, args=pair) for pair in ((store, "a"), (other, "b"), (other, "c"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sum(event.kind is EventKind.PROGRESS for event in store.events.after(new.id)) == 75


OPEN_WHEN_TOLD = """
import sys
from orchestrator.store.dubs import DubStore
print("ready", flush=True)
sys.stdin.readline()
DubStore(sys.argv[1]).close()
"""


def test_processes_that_start_at_once_all_open_a_new_store(database_url):
    command = [sys.executable, "-c", OPEN_WHEN_TOLD, database_url]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    ends = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ends


def test_a_database_that_cannot_be_opened_is_named_as_such(tmp_path):
    (tmp_path / "not.db").write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreUnavailable, match="job store"):
        DubStore(f"sqlite:///{tmp_path}/not.db")


def test_the_probes_findings_become_json():
    clip = ClipInfo(
        container="mov",
        duration_s=1.0,
        width=160,
        height=120,
        rotation_deg=90,
        sample_aspect_ratio=Fraction(1),
        frames_per_s=Fraction(30000, 1001),
        variable_frame_rate=False,
        frame_count=30,
        video_codec="h264",
        audio_codec="aac",
        audio_sample_rate_hz=48_000,
        audio_channels=1,
        audio_offset_s=0.0,
        size_bytes=1234,
    )
    facts = clip_facts(clip)
    assert facts["frames_per_s"] == "30000/1001"
    assert replace(clip, frames_per_s=Fraction(facts["frames_per_s"]), sample_aspect_ratio=Fraction(1)) == clip


def test_a_store_of_an_earlier_release_gets_the_columns_that_are_new(database_url, store):
    kept = store.create(new_dub(face="2"))
    store.close()
    path = database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE dubs DROP COLUMN face")
    for _ in range(2):
        again = DubStore(database_url)
        assert again.get(kept.id).face == ""
        assert again.create(chosen := new_dub(face="1,2,30,40")).face == "1,2,30,40"
        assert again.get(chosen.id).face == "1,2,30,40"
        again.close()
