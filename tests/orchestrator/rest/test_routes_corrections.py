import json
import threading
import uuid

import httpx
import pytest

from client.errors import EngineRefused, RestError
from client.rest import PolylipClient
from orchestrator.corrections import MAX_CHARACTERS
from tests.fakes.dubbing import TEXTS, dubbing, three_sentences
from tests.fakes.gateway import FakeOwner, post_clip, running_gateway
from tests.waiting import eventually


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with dubbing(tmp_path_factory.mktemp("dubbing")) as service:
        yield service


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return three_sentences(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="module")
def unchanged(service, clip):
    """A finished dub that no test renders."""
    return service.dub(clip)


@pytest.fixture
def client(service):
    with PolylipClient(service.url) as client:
        yield client


def fetch(client, dub_id, artefact, tmp_path, **options):
    return client.download(dub_id, artefact, tmp_path / artefact, **options).read_text(encoding="utf-8")


def patch(service, dub_id, number, content, **headers):
    url = f"{service.url}/v1/dubs/{dub_id}/segments/{number}"
    return httpx.patch(url, content=content, headers=headers, timeout=30)


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_corrected_sentence_is_rendered_and_nothing_else(service, client, clip, tmp_path):
    dub_id = service.dub(clip)
    before = service.calls()
    corrected = client.correct(dub_id, 1, {"translation": "  Dos\n pececitos. "})
    assert (corrected["sequence"], corrected["translation"], corrected["version"]) == (1, "Dos pececitos.", 1)
    assert not corrected["rendered"]
    assert client.get(dub_id)["revision"] == 1
    events = []
    render = client.render(dub_id, events.append)
    assert (render["state"], render["revision"], render["error"]) == ("succeeded", 2, None)
    assert {event.kind for event in events} == {"progress", "render"}
    assert [after - count for count, after in zip(before, service.calls(), strict=True)] == [0, 0, 1]
    assert client.get(dub_id)["revision"] == 2
    assert client.get(dub_id)["state"] == "succeeded"
    assert client.get(dub_id)["subtitle_languages"] == ["en", "es"]
    assert "Dos pececitos." in fetch(client, dub_id, "subtitles.srt", tmp_path)
    stages = json.loads(fetch(client, dub_id, "report.json", tmp_path))["stages"]
    assert (stages["tts"]["runs"], stages["tts"]["reused"]) == (1, 2)
    assert (stages["stt"]["runs"], stages["stt"]["reused"]) == (0, 3)
    [shown] = client.corrections(dub_id)["corrections"]
    assert shown["rendered"]

    assert client.render(dub_id)["id"] == render["id"]  # again: nothing is left to do
    client.correct(dub_id, 1, {"translation": None})
    assert client.render(dub_id)["revision"] == 3
    assert "<i>peces</i>" in fetch(client, dub_id, "subtitles.srt", tmp_path)


def test_the_old_result_is_served_until_the_new_one_is_whole(service, client, clip, tmp_path, monkeypatch):
    dub_id = service.dub(clip)
    entered, release = threading.Event(), threading.Event()
    translate = service.engines.mt_engine.translate

    def slow(*arguments, **options):
        entered.set()
        release.wait(30)
        return translate(*arguments, **options)

    monkeypatch.setattr(service.engines.mt_engine, "translate", slow)
    old = fetch(client, dub_id, "segments.json", tmp_path)
    client.correct(dub_id, 0, {"text": "One shark."})
    answers = [httpx.post(f"{service.url}/v1/dubs/{dub_id}/render") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert entered.wait(30)
    assert fetch(client, dub_id, "segments.json", tmp_path) == old
    client.correct(dub_id, 2, {"skip": True})
    assert problem(httpx.post(f"{service.url}/v1/dubs/{dub_id}/render")) == (409, "render-in-progress")
    release.set()
    eventually(lambda: client.corrections(dub_id)["render"]["state"] == "succeeded")
    segments = json.loads(fetch(client, dub_id, "segments.json", tmp_path))["segments"]
    assert [segment["source_text"] for segment in segments] == ["One shark.", *TEXTS[1:]]
    assert [item["rendered"] for item in client.corrections(dub_id)["corrections"]] == [True, False]


def test_a_render_can_be_cancelled(service, client, clip, monkeypatch):
    dub_id = service.dub(clip)
    entered, release = threading.Event(), threading.Event()

    def stuck(*_arguments, **_options):
        entered.set()
        release.wait(30)
        return "Nada."

    monkeypatch.setattr(service.engines.mt_engine, "translate", stuck)
    client.correct(dub_id, 0, {"text": "One shark."})
    httpx.post(f"{service.url}/v1/dubs/{dub_id}/render").raise_for_status()
    assert entered.wait(30)
    client.cancel_render(dub_id)
    release.set()
    assert client.corrections(dub_id)["render"]["state"] == "cancelled"
    assert client.get(dub_id)["revision"] == 1
    client.cancel_render(dub_id)  # there is none: nothing happens


def test_a_failed_render_says_why_and_the_dub_stays(service, client, clip):
    dub_id = service.dub(clip)
    service.engines.mt_engine._failures = [EngineRefused("mt", "no such words")]
    client.correct(dub_id, 0, {"text": "One shark."})
    render = client.render(dub_id)
    assert (render["state"], render["error"]["code"]) == ("failed", "stage-failed")
    assert "no such words" in render["error"]["detail"]
    assert client.get(dub_id)["state"] == "succeeded"
    assert client.get(dub_id)["revision"] == 1
    assert client.render(dub_id)["state"] == "succeeded"


REFUSED = {
    "empty translation": b'{"translation": " "}',
    "empty text": b'{"text": ""}',
    "too long": json.dumps({"text": "x" * (MAX_CHARACTERS + 1)}).encode(),
    "no words": b'{"text": "..."}',
    "control characters": b'{"text": "a\\u0000b"}',
    "a number": b'{"translation": 1}',
    "skip is no truth": b'{"skip": "yes"}',
    "unknown field": b'{"voice": 2}',
    "a face that is not there": b'{"speaker": 9}',
    "no face's number": b'{"speaker": "1"}',
    "nothing": b"{}",
    "no object": b"[]",
    "no JSON": b"{",
    "not UTF-8": b'{"text": "\xff"}',
    "much too long": b'{"text": "' + b"x" * 20_000 + b'"}',
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_correction_is_refused(service, client, unchanged, content):
    assert problem(patch(service, unchanged, 0, content)) == (422, "correction-refused")
    assert client.corrections(unchanged)["corrections"] == []


def test_a_speaker_must_be_in_sight_and_the_refusal_names_who_is(service, client, clip):
    dub_id = service.dub(clip)
    refused = patch(service, dub_id, 1, b'{"speaker": 2}')
    assert problem(refused) == (422, "correction-refused")
    assert refused.json()["detail"] == "speaker: face 2 is not there; in this sentence there are: 1"
    assert client.correct(dub_id, 1, {"speaker": 1})["speaker"] == 1
    assert client.correct(dub_id, 1, {"speaker": 0})["speaker"] == 0
    assert client.correct(dub_id, 1, {"speaker": None})["speaker"] is None


@pytest.mark.parametrize("number", [3, -1, 10**12])
def test_a_sentence_that_is_not_there_is_not_found(service, unchanged, number):
    assert problem(patch(service, unchanged, number, b'{"skip": true}')) == (404, "segment-not-found")


def test_a_dub_that_is_not_there_is_not_found(service):
    nobody = "00000000-0000-0000-0000-000000000001"
    assert problem(patch(service, nobody, 0, b'{"skip": true}')) == (404, "not-found")
    assert problem(httpx.post(f"{service.url}/v1/dubs/{nobody}/render")) == (404, "not-found")
    assert problem(httpx.delete(f"{service.url}/v1/dubs/{nobody}/render")) == (404, "not-found")


def test_there_is_nothing_to_render_without_a_correction(service, unchanged):
    assert problem(httpx.post(f"{service.url}/v1/dubs/{unchanged}/render")) == (422, "correction-refused")


def test_of_two_people_who_correct_one_sentence_the_second_is_told(service, client, clip):
    dub_id = service.dub(clip)
    first = patch(service, dub_id, 0, b'{"translation": "Uno."}', **{"If-Match": '"0"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    with pytest.raises(RestError) as caught:
        client.correct(dub_id, 0, {"translation": "Otro."}, version=0)
    assert (caught.value.status, caught.value.problem) == (412, "correction-outdated")
    assert client.correct(dub_id, 0, {"translation": "Otro."}, version=1)["version"] == 2
    assert client.correct(dub_id, 0, {"translation": "Otro."})["version"] == 2  # the same again changes nothing
    assert problem(patch(service, dub_id, 0, b'{"skip": true}', **{"If-Match": "2"})) == (422, "correction-refused")


def test_a_dub_that_is_not_done_cannot_be_corrected(tmp_path):
    with (
        running_gateway(tmp_path) as gateway,
        FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner,
    ):
        dub_id = post_clip(gateway.url).json()["id"]
        assert problem(patch(gateway, dub_id, 0, b'{"skip": true}')) == (409, "dub-not-finished")
        assert problem(httpx.post(f"{gateway.url}/v1/dubs/{dub_id}/render")) == (409, "dub-not-finished")
        owner.go.set()


def test_a_deleted_dub_takes_its_corrections_along(service, client, clip):
    dub_id = service.dub(clip)
    client.correct(dub_id, 0, {"translation": "Uno."})
    client.delete(dub_id)
    assert problem(httpx.get(f"{service.url}/v1/dubs/{dub_id}/corrections")) == (404, "not-found")
    assert service.gateway.dubs.renders.corrections(uuid.UUID(dub_id)) == []


def test_a_glossary_is_kept_through_the_dub_and_told_in_the_report(service, client, clip, tmp_path):
    service.engines.mt_engine._dictionary["Red Qzxa."] = "Qzxa rojo."
    dub_id = service.dub(clip, glossary={"FISH": "merluza"})
    assert client.get(dub_id)["glossary"] == {"FISH": "merluza"}
    segments = json.loads(fetch(client, dub_id, "segments.json", tmp_path))["segments"]
    assert segments[2]["text"] == "Merluza rojo."
    assert json.loads(fetch(client, dub_id, "report.json", tmp_path))["glossary"]["used"] == {"FISH": 3}


@pytest.mark.parametrize("glossary", ["[1]", "{", '{"a": 1}', '{"a": ""}', '{"a": "b", "A": "c"}'])
def test_a_bad_glossary_is_refused(service, glossary):
    assert problem(post_clip(service.url, glossary=glossary)) == (422, "glossary-refused")
