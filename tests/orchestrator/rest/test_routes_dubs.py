import hashlib
import threading
import uuid

import httpx
import pytest

from orchestrator.messages import DubJob, decode_as
from orchestrator.store.artefacts import Artefact
from orchestrator.store.states import DubState
from tests.fakes.gateway import post_clip, running_gateway
from tests.waiting import eventually


def test_an_upload_is_stored_queued_and_promised(gateway):
    answer = post_clip(gateway.url, b"the bytes", engines='{"stt": "stt_pocketsphinx"}')
    assert answer.status_code == 202
    body = answer.json()
    dub_id = uuid.UUID(body["id"])
    assert body["state"] == "queued"
    assert answer.headers["location"] == body["links"]["self"] == f"{gateway.url}/v1/dubs/{dub_id}"
    with gateway.media.open(dub_id, Artefact.CLIP) as stored:
        assert stored.read() == b"the bytes"
    dub = gateway.dubs.get(dub_id)
    assert dub.published
    assert (dub.source_language, dub.target_language) == ("en", "es")
    assert gateway.jobs_waiting() == 1


def test_a_request_may_name_a_version_that_is_loaded(gateway):
    answer = post_clip(gateway.url, engines='{"stt": "stt_pocketsphinx@1", "lips": "lips_warp@1"}')
    assert answer.status_code == 202
    assert gateway.dubs.get(uuid.UUID(answer.json()["id"])).engines["lips"] == "lips_warp@1"
    refused = post_clip(gateway.url, engines='{"lips": "lips_warp@2"}')
    assert (refused.status_code, refused.json()["code"]) == (503, "engine-not-loaded")
    assert refused.json()["model"] == "lips_warp@2"


def test_the_job_tells_the_owner_what_to_do_and_continues_the_callers_trace(gateway):
    taken = []
    done = threading.Event()

    def handle(delivery):
        taken.append(delivery)
        delivery.ack()
        done.set()

    trace = "0af7651916cd43dd8448eb211c80319c"
    post_clip(
        gateway.url,
        source_language="en",
        engines='{"tts": "tts_espeak"}',
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
    )
    gateway.broker.consume("jobs", handle)
    assert done.wait(10)
    job = decode_as(DubJob, taken[0].body)
    assert (job.source_language, job.target_language, job.engines) == ("en", "es", {"tts": "tts_espeak"})
    assert taken[0].headers["traceparent"].split("-")[1] == trace


def test_a_dub_is_shown_with_its_clip_its_stages_and_its_links(gateway, owner):
    dub_id = post_clip(gateway.url, name="Ünïcode clip 🎬.mp4").json()["id"]
    owner.go.set()
    eventually(lambda: bool(owner.settled), what="the dub is done")
    shown = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()
    assert shown["state"] == "succeeded"
    assert shown["clip"]["name"] == "Ünïcode clip 🎬.mp4"
    assert (shown["clip"]["duration_s"], shown["clip"]["frames_per_s"]) == (1.0, 25.0)
    assert [(stage["stage"], stage["progress"]) for stage in shown["stages"]] == [
        ("stt", 1.0),
        ("speech", 0.4),
        ("faces", 0.7),
        ("lips", 1.0),
    ]
    assert shown["subtitle_languages"] == ["en", "es"]
    assert shown["summary"] == {"rtf": 0.5}
    assert shown["error"] is None
    assert shown["finished_at_ms"] >= shown["created_at_ms"]
    for link in shown["links"].values():
        assert httpx.get(link).status_code in (200, 204)


def test_a_failed_dub_tells_why_in_the_words_of_a_problem(gateway, owner):
    owner.fails_with = ("engine-not-loaded", "lips_warp: it is not loaded")
    owner.go.set()
    dub_id = post_clip(gateway.url).json()["id"]
    eventually(lambda: bool(owner.settled))
    shown = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()
    assert shown["state"] == "failed"
    assert shown["error"] == {
        "type": "urn:polylip:problem:engine-not-loaded",
        "code": "engine-not-loaded",
        "detail": "lips_warp: it is not loaded",
    }


def test_links_use_the_public_address_where_one_is_set(tmp_path):
    with running_gateway(tmp_path, gateway={"public_url": "https://dub.example.org/base/"}) as gateway:
        links = post_clip(gateway.url).json()["links"]
    assert all(link.startswith("https://dub.example.org/base/v1/dubs/") for link in links.values())


@pytest.mark.parametrize(
    "path",
    ["", "/events", "/clip", "/result.mp4", "/subtitles.srt", "/subtitles.vtt", "/segments.json", "/report.json"],
)
@pytest.mark.parametrize("dub_id", [str(uuid.UUID(int=7)), "not-a-uuid", "..%2f..%2fetc"])
def test_an_unknown_dub_is_not_found_whatever_is_asked_of_it(shared_gateway, path, dub_id):
    answer = httpx.get(f"{shared_gateway.url}/v1/dubs/{dub_id}{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:polylip:problem:not-found"


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory):
    with running_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


def test_deleting_an_unknown_dub_is_not_found(shared_gateway):
    assert httpx.delete(f"{shared_gateway.url}/v1/dubs/{uuid.uuid4()}").status_code == 404


def test_deleting_during_the_run_stops_the_owner_and_erases_everything(gateway, owner):
    dub_id = uuid.UUID(post_clip(gateway.url).json()["id"])
    eventually(lambda: len(gateway.dubs.events.stages(dub_id)) == 3, what="the owner is in the middle")
    address = f"{gateway.url}/v1/dubs/{dub_id}"
    assert httpx.delete(address).status_code == 204
    assert httpx.delete(address).status_code == 204
    assert gateway.dubs.is_cancelled(dub_id)
    owner.go.set()
    eventually(lambda: bool(owner.settled), what="the owner has stopped")
    for path in ("", "/result.mp4", "/clip", "/events"):
        answer = httpx.get(address + path)
        assert answer.status_code == 404
    assert "erased" in httpx.get(address).json()["detail"]
    assert gateway.leftovers() == []


def test_deleting_a_finished_dub_erases_its_media(gateway, owner):
    owner.go.set()
    dub_id = post_clip(gateway.url).json()["id"]
    eventually(lambda: bool(owner.settled))
    assert httpx.delete(f"{gateway.url}/v1/dubs/{dub_id}").status_code == 204
    assert gateway.leftovers() == []
    assert httpx.get(f"{gateway.url}/v1/dubs/{dub_id}/result.mp4").status_code == 404


def test_a_queued_dub_that_was_deleted_is_never_begun(gateway):
    dub_id = uuid.UUID(post_clip(gateway.url).json()["id"])
    httpx.delete(f"{gateway.url}/v1/dubs/{dub_id}")
    assert gateway.dubs.claim_running(dub_id) is None


class TestIdempotency:
    def test_the_same_request_gets_the_first_answer_and_makes_one_job(self, gateway):
        first, second = (post_clip(gateway.url, headers={"Idempotency-Key": "k1"}) for _ in range(2))
        assert second.status_code == 202
        assert second.json() == first.json()
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert gateway.jobs_waiting() == 1
        assert len(gateway.leftovers()) == 1

    def test_the_first_answer_is_given_even_after_the_dub_went_on(self, gateway, owner):
        owner.go.set()
        first = post_clip(gateway.url, headers={"Idempotency-Key": "k1"})
        eventually(lambda: bool(owner.settled))
        assert post_clip(gateway.url, headers={"Idempotency-Key": "k1"}).json() == first.json()

    @pytest.mark.parametrize(
        "changes",
        [{"content": b"other bytes"}, {"source_language": "en"}, {"engines": '{"mt": "mt_apertium"}'}],
        ids=["clip", "field", "engines"],
    )
    def test_another_request_with_the_same_key_is_a_conflict(self, gateway, changes):
        post_clip(gateway.url, headers={"Idempotency-Key": "k1"})
        answer = post_clip(gateway.url, headers={"Idempotency-Key": "k1"}, **changes)
        assert answer.status_code == 409
        assert answer.json()["code"] == "idempotency-conflict"
        assert gateway.jobs_waiting() == 1
        assert len(gateway.leftovers()) == 1

    def test_the_files_name_does_not_make_it_another_request(self, gateway):
        one, other = (post_clip(gateway.url, name=n, headers={"Idempotency-Key": "k"}) for n in ("a.mp4", "b.mp4"))
        assert one.json() == other.json()

    def test_two_at_once_make_one_job(self, gateway):
        answers = []
        barrier = threading.Barrier(6)

        def post():
            barrier.wait()
            answers.append(post_clip(gateway.url, b"x" * 300_000, headers={"Idempotency-Key": "same"}))

        threads = [threading.Thread(target=post) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [202] * 6
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert gateway.jobs_waiting() == 1
        assert gateway.dubs.counts()[DubState.QUEUED] == 1
        assert len(gateway.leftovers()) == 1

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_an_impossible_key_is_refused(self, gateway, key):
        answer = post_clip(gateway.url, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")

    def test_a_key_is_free_again_after_its_dub_was_deleted(self, gateway):
        first = post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json()
        httpx.delete(first["links"]["self"])
        second = post_clip(gateway.url, headers={"Idempotency-Key": "k"})
        assert second.status_code == 202
        assert second.json()["id"] != first["id"]

    def test_the_answer_is_repeated_when_nothing_new_is_taken(self, tmp_path):
        with running_gateway(tmp_path, gateway={"max_active_dubs": 1}) as gateway:
            first = post_clip(gateway.url, headers={"Idempotency-Key": "k"})
            assert post_clip(gateway.url, headers={"Idempotency-Key": "other"}).status_code == 503
            gateway.broker.close()
            assert post_clip(gateway.url, headers={"Idempotency-Key": "k"}).json() == first.json()


def test_the_stored_clip_is_the_uploaded_one_bit_for_bit(gateway):
    content = bytes(range(256)) * 12_345  # several writes, and every byte a boundary could begin with
    dub_id = post_clip(gateway.url, content).json()["id"]
    answer = httpx.get(f"{gateway.url}/v1/dubs/{dub_id}/clip")
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(content).digest()


def test_the_choice_of_a_face_is_kept_shown_and_handed_to_the_owner(gateway):
    taken = []
    done = threading.Event()

    def handle(delivery):
        taken.append(decode_as(DubJob, delivery.body))
        delivery.ack()
        done.set()

    dub_id = post_clip(gateway.url, face=" 10, 20, 60,80 @0.5 ").json()["id"]
    gateway.broker.consume("jobs", handle)
    assert done.wait(10)
    assert taken[0].face == "10,20,60,80@0.5"
    assert httpx.get(f"{gateway.url}/v1/dubs/{dub_id}").json()["face"] == "10,20,60,80@0.5"
    plain = post_clip(gateway.url).json()["id"]
    assert httpx.get(f"{gateway.url}/v1/dubs/{plain}").json()["face"] == ""


@pytest.mark.parametrize(
    ("face", "reason"),
    [("nose", "cannot read"), ("9000,10,9100,60", "outside the picture"), ("1,1,9,9@77", "behind the end")],
)
def test_a_face_that_cannot_be_is_refused_and_leaves_nothing(gateway, face, reason):
    answer = post_clip(gateway.url, face=face)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")
    assert reason in answer.json()["detail"]
    assert gateway.leftovers() == []


def test_another_face_is_another_request(gateway):
    headers = {"Idempotency-Key": "k"}
    first = post_clip(gateway.url, face="1", headers=headers)
    assert post_clip(gateway.url, face=" 1 ", headers=headers).json() == first.json()
    assert post_clip(gateway.url, face="2", headers=headers).status_code == 409
