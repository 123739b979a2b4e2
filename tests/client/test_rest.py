import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client.errors import RestError, RestUnavailable
from client.rest import RECONNECTS, PolylipClient
from orchestrator.media.probe import probe
from tests.fakes.gateway import REPORT, SOURCE_VTT, FakeOwner, running_gateway
from tests.media_factory import make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "Clip ä.mp4", duration_s=0.2)


@pytest.fixture
def gateway(tmp_path):
    with running_gateway(tmp_path, probe=probe) as gateway:
        yield gateway


@pytest.fixture
def client(gateway):
    with PolylipClient(gateway.url) as client:
        yield client


@pytest.fixture
def owner(gateway):
    with FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
        yield owner


def test_a_clip_is_dubbed_followed_and_fetched(client, owner, clip, tmp_path):
    owner.go.set()
    dub_id = client.create(clip, "es", source_language="en", engines={"stt": "stt_pocketsphinx"}, face="1")["id"]
    assert client.get(dub_id)["face"] == "1"
    events = []
    dub = client.wait(dub_id, events.append)
    assert dub["state"] == "succeeded"
    assert dub["clip"]["name"] == "Clip ä.mp4"
    assert dub["engines"] == {"stt": "stt_pocketsphinx"}
    assert [event.data["state"] for event in events if event.kind == "state"] == ["queued", "running", "succeeded"]
    assert events[-1].final
    saved = client.download(dub_id, "result.mp4", tmp_path / "out.mp4")
    assert saved.read_bytes() == owner.result
    assert client.download(dub_id, "report.json", tmp_path / "report.json").read_bytes() == REPORT
    subtitles = client.download(dub_id, "subtitles.vtt", tmp_path / "source.vtt", language="en")
    assert subtitles.read_bytes() == SOURCE_VTT
    assert client.download(dub_id, "clip", tmp_path / "clip").read_bytes() == clip.read_bytes()


def test_a_transcript_goes_with_the_clip(client, gateway, clip, tmp_path):
    (tmp_path / "said.srt").write_bytes(b"1\n00:00:00,000 --> 00:00:00,200\nHello there.\n")
    dub_id = client.create(clip, "es", transcript=tmp_path / "said.srt")["id"]
    with gateway.media.open(dub_id, "transcript.srt") as stored:
        assert stored.read() == (tmp_path / "said.srt").read_bytes()


def test_a_refusal_carries_the_gateways_problem(client, tmp_path):
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(RestError) as caught:
        client.create(tmp_path / "notes.txt", "es")
    assert (caught.value.status, caught.value.problem) == (415, "not-a-video")
    assert caught.value.detail
    assert not caught.value.retryable


def test_what_is_worth_another_try_says_so(client, clip):
    with pytest.raises(RestUnavailable) as caught:
        client.create(clip, "es", engines={"mt": "mt_opus"})
    assert (caught.value.status, caught.value.problem) == (503, "engine-not-loaded")
    assert "mt_opus" in caught.value.detail
    assert caught.value.retry_after_s > 0
    assert caught.value.retryable


def test_a_key_makes_a_repeated_call_harmless(client, clip):
    first = client.create(clip, "es", idempotency_key="k")
    assert client.create(clip, "es", idempotency_key="k") == first
    with pytest.raises(RestError) as caught:
        client.create(clip, "es", source_language="en", idempotency_key="k")
    assert caught.value.problem == "idempotency-conflict"


def test_a_gateway_that_is_not_there_is_unavailable(clip):
    with PolylipClient("http://127.0.0.1:9") as client, pytest.raises(RestUnavailable) as caught:
        client.create(clip, "es")
    assert (caught.value.status, caught.value.problem) == (0, "no-answer")


def test_an_unknown_dub_is_not_found(client):
    for call in (client.get, client.delete, lambda dub_id: next(client.events(dub_id))):
        with pytest.raises(RestError) as caught:
            call(uuid.uuid4())
        assert caught.value.status == 404


def test_an_artefact_that_is_not_there_leaves_no_file(client, clip, tmp_path):
    dub_id = client.create(clip, "es")["id"]
    with pytest.raises(RestError) as caught:
        client.download(dub_id, "result.mp4", tmp_path / "out.mp4")
    assert caught.value.problem == "not-ready"
    assert not (tmp_path / "out.mp4").exists()
    assert not list(tmp_path.glob("*.part"))


def test_events_go_on_behind_the_last_one(client, owner, clip):
    dub_id = client.create(clip, "es")["id"]
    stream = client.events(dub_id)
    first = [next(stream) for _ in range(4)]
    stream.close()
    owner.go.set()
    rest = list(client.events(dub_id, last_event_id=first[-1].id))
    assert first + rest == list(client.events(dub_id))
    assert list(client.events(dub_id, last_event_id=rest[-1].id)) == []


def test_waiting_survives_a_restart_of_the_gateway(tmp_path, clip):
    """The first gateway goes while the client listens; the second one is found by the same client."""
    with running_gateway(tmp_path) as first:
        client = PolylipClient(first.url, sleep=lambda _: None)
        dub_id = uuid.UUID(client.create(clip, "es")["id"])
        first.dubs.claim_running(dub_id, "owner")
        first.dubs.progress(dub_id, "stt", 0.5)
        stream = client.events(dub_id)
        seen = [next(stream) for _ in range(3)]
    with running_gateway(tmp_path) as second:
        second.dubs.progress(dub_id, "stt", 1.0)
        second.dubs.succeed(dub_id)
        client._http.base_url = second.url
        seen += list(stream)
    client.close()
    assert [event.data.get("state") or event.data["progress"] for event in seen] == [
        "queued",
        "running",
        0.5,
        1.0,
        "succeeded",
    ]


def test_a_stream_that_stays_away_is_given_up(clip, tmp_path):
    delays = []
    with running_gateway(tmp_path) as gateway:
        client = PolylipClient(gateway.url, sleep=delays.append)
        stream = client.events(client.create(clip, "es")["id"])
        assert next(stream).data["state"] == "queued"
    with client, pytest.raises(RestUnavailable):
        list(stream)
    assert len(delays) == RECONNECTS
    assert delays == sorted(delays)


def test_waiting_for_a_dub_that_is_deleted_ends(gateway, client, owner, clip):
    dub_id = client.create(clip, "es")["id"]
    ends, listening = [], threading.Event()

    def wait():
        with PolylipClient(gateway.url) as other:
            ends.append(other.wait(dub_id, lambda _event: listening.set()))

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert listening.wait(10)
    client.delete(dub_id)
    client.delete(dub_id)
    waiter.join(timeout=10)
    assert ends == [{"id": dub_id, "state": "cancelled", "error": None}]


def test_models_languages_and_readiness_are_told(gateway, client):
    assert "stt_pocketsphinx" in [model["name"] for model in client.models()]
    assert client.languages()["pairs"] == [{"source": "en", "target": "es"}]
    assert client.ready().ready
    del gateway.triton.models["tts_espeak"]
    state = client.ready()
    assert not state.ready
    assert state.missing == ("tts_espeak: it is not loaded",)


class ForeignServer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 502, "Bad Gateway")
        self.end_headers()
        self.wfile.write(b"<html>not ours</html>")

    def log_message(self, *_arguments):
        pass


def test_another_servers_answer_is_not_taken_for_the_gateways():
    with ThreadingHTTPServer(("127.0.0.1", 0), ForeignServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with PolylipClient(f"http://127.0.0.1:{server.server_address[1]}") as client:
            with pytest.raises(RestError, match="bad-answer"):
                client.ready()
            with pytest.raises(RestError, match="http-502: Bad Gateway"):
                client.models()
        server.shutdown()
        thread.join()
