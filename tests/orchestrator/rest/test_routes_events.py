import json
import threading
import uuid

import httpx
import pytest

from tests.fakes.gateway import post_clip
from tests.waiting import eventually


def read_events(url, dub_id, last_event_id=None, until=None):
    """Collect (id, event, data) until the stream ends, or until `until(events)` holds."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    events, fields = [], {}
    with httpx.stream("GET", f"{url}/v1/dubs/{dub_id}/events", headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "data" in fields:
                events.append((fields["id"], fields["event"], json.loads(fields["data"])))
            fields = {}
            if until is not None and until(events):
                break
    return events


def test_a_whole_dub_is_told_and_the_stream_ends_with_the_final_state(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    owner.go.set()
    events = read_events(gateway.url, dub_id)
    assert [data["state"] for _, kind, data in events if kind == "state"] == ["queued", "running", "succeeded"]
    assert [(data["stage"], data["progress"]) for _, kind, data in events if kind == "progress"] == [
        ("stt", 0.5),
        ("stt", 1.0),
        ("speech", 0.4),
        ("faces", 0.7),
        ("lips", 1.0),
    ]
    assert events[-1][1] == "state"


def test_events_come_while_the_dub_still_runs(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    events = read_events(gateway.url, dub_id, until=lambda seen: len(seen) == 6)
    assert events[-1][2]["stage"] == "faces"
    assert not owner.settled


def test_a_stream_that_broke_off_goes_on_behind_the_last_event(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    first = read_events(gateway.url, dub_id, until=lambda seen: len(seen) == 3)
    owner.go.set()
    rest = read_events(gateway.url, dub_id, last_event_id=first[-1][0])
    assert first + rest == read_events(gateway.url, dub_id)


def test_nothing_more_is_told_after_the_final_state_and_browsers_stop_asking(gateway, owner):
    owner.go.set()
    dub_id = post_clip(gateway.url).json()["id"]
    last = read_events(gateway.url, dub_id)[-1][0]
    answer = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_render_opens_the_stream_again_and_ends_it(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    owner.go.set()
    last = read_events(gateway.url, dub_id)[-1][0]
    renders = gateway.dubs.renders
    renders.correct(uuid.UUID(dub_id), uuid.UUID(int=1), 0, lambda before: before.changed({"skip": True}))
    render, _ = renders.request(uuid.UUID(dub_id))
    begun = read_events(gateway.url, dub_id, last_event_id=last, until=lambda seen: len(seen) == 1)
    assert begun[0][1] == "render"
    renders.claim(render.id, "owner")
    renders.progress(render.id, "lips", 0.5)
    renders.fail(render.id, "stage-failed", "mt: no such words")
    events = read_events(gateway.url, dub_id, last_event_id=last)
    assert [(kind, data.get("state")) for _, kind, data in events] == [
        ("render", "queued"),
        ("render", "running"),
        ("progress", None),
        ("render", "failed"),
    ]
    assert events[-1][2]["id"] == render.id
    assert events[-1][2]["error"]["type"] == "urn:polylip:problem:stage-failed"
    after = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}/events", params={"after": events[-1][0]})
    assert after.status_code == 204


def test_whoever_follows_a_render_learns_that_the_dub_was_deleted(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    owner.go.set()
    last = read_events(gateway.url, dub_id)[-1][0]
    renders = gateway.dubs.renders
    renders.correct(uuid.UUID(dub_id), uuid.UUID(int=1), 0, lambda before: before.changed({"skip": True}))
    renders.request(uuid.UUID(dub_id))

    def delete(seen):
        if len(seen) == 1:
            httpx.delete(f"{gateway.url}/v1/dubs/{dub_id}").raise_for_status()
        return False

    assert len(read_events(gateway.url, dub_id, last_event_id=last, until=delete)) == 1  # and the stream has ended


def test_a_failure_is_told_with_its_problem(gateway, owner):
    owner.fails_with = ("stalled", "no stage answered")
    owner.go.set()
    events = read_events(gateway.url, post_clip(gateway.url).json()["id"])
    assert events[-1][2]["error"] == {
        "type": "urn:polylip:problem:stalled",
        "code": "stalled",
        "detail": "no stage answered",
    }


def test_whoever_listens_learns_of_a_deletion(gateway, owner):
    dub_id = post_clip(gateway.url).json()["id"]
    heard = []
    listener = threading.Thread(target=lambda: heard.extend(read_events(gateway.url, dub_id)))
    listener.start()
    eventually(lambda: len(gateway.dubs.events.stages(uuid.UUID(dub_id))) == 3)
    httpx.delete(f"{gateway.url}/v1/dubs/{dub_id}")
    listener.join(timeout=10)
    assert not listener.is_alive()
    assert heard[-1][2]["state"] == "cancelled"


@pytest.mark.parametrize("last", ["abc", "-1", "9" * 30, "1.5"])
def test_a_wrong_last_event_id_is_refused(gateway, last):
    dub_id = post_clip(gateway.url).json()["id"]
    answer = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")
