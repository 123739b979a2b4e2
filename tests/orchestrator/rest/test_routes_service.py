import threading

import httpx
import pytest

from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings
from tests.fakes.gateway import post_clip, running_gateway


def test_models_are_told_with_the_tasks_they_serve(gateway):
    gateway.triton.not_ready["stt_whisper"] = "no weights"
    models = {model["name"]: model for model in httpx.get(f"{gateway.url}/v1/models").json()["models"]}
    assert models["stt_pocketsphinx"] == {
        "name": "stt_pocketsphinx",
        "version": "1",
        "ready": True,
        "reason": "",
        "tasks": ["stt"],
        "licence": {
            "identifier": "BSD-2-Clause",
            "name": "BSD 2-Clause Licence",
            "commercial_use": True,
            "meaning": "any use, also commercial, as long as the authors are named",
            "url": "https://opensource.org/license/bsd-2-clause",
            "source": "PocketSphinx 5 and its US-English model (Carnegie Mellon University)",
        },
    }
    assert models["stt_whisper"]["ready"] is False
    assert models["stt_whisper"]["reason"] == "no weights"
    assert models["stt_whisper"]["tasks"] == []


def test_a_model_tells_that_its_licence_forbids_commercial_use_or_that_nobody_states_one(gateway):
    gateway.triton.models |= {"lips_wav2lip": {}, "somebody_elses": {}}
    models = httpx.get(f"{gateway.url}/v1/models").json()["models"]
    allowed = {model["name"]: model["licence"]["commercial_use"] for model in models}
    assert (allowed["lips_wav2lip"], allowed["somebody_elses"], allowed["lips_warp"]) == (False, None, True)


def test_languages_are_what_all_three_engines_can_do(gateway):
    languages = httpx.get(f"{gateway.url}/v1/languages").json()
    assert languages == {
        "pairs": [{"source": "en", "target": "es"}],  # not es-en: the recogniser knows English alone
        "detects_source": False,
        "default_source": "en",
    }


def test_a_recogniser_that_detects_leaves_the_source_open(gateway):
    gateway.triton.models["stt_pocketsphinx"] = {"languages": "en es", "detects_language": "true"}
    languages = httpx.get(f"{gateway.url}/v1/languages").json()
    assert languages["detects_source"]
    assert len(languages["pairs"]) == 2
    shown = httpx.get(post_clip(gateway.url, target_language="en").json()["links"]["self"]).json()
    assert shown["source_language"] == ""


def test_the_gateway_is_alive_whatever_else_is_away(gateway):
    gateway.triton.away = True
    gateway.broker.close()
    assert httpx.get(f"{gateway.url}/healthz").json() == {"status": "ok"}


def test_everything_there_is_ready(gateway):
    answer = httpx.get(f"{gateway.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": []})


def test_what_is_missing_is_named(gateway):
    del gateway.triton.models["lips_warp"]
    gateway.triton.not_ready["lips_warp"] = "failed to load: no such file"
    gateway.broker.close()
    answer = httpx.get(f"{gateway.url}/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    broker, engine = answer.json()["missing"]
    assert broker.startswith("broker: ")
    assert engine == "lips_warp: failed to load: no such file"


def test_triton_away_is_named_once_and_not_for_every_engine(gateway):
    gateway.triton.away = True
    assert httpx.get(f"{gateway.url}/readyz").json()["missing"] == ["triton: triton: connection refused"]


class FrozenBroker(MemoryBroker):
    """Answers nothing, as a stopped process does, until it is released."""

    def __init__(self, settings):
        super().__init__(settings)
        self.released = threading.Event()

    def check(self):
        self.released.wait()
        super().check()


def test_a_frozen_broker_is_found_out_within_the_deadline(tmp_path):
    broker = FrozenBroker(BrokerSettings())
    with running_gateway(tmp_path, broker=broker, gateway={"broker_timeout_s": 0.3}) as gateway:
        answers = [httpx.get(f"{gateway.url}/readyz"), post_clip(gateway.url)]
        broker.released.set()
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "did not answer within 0.3 s" in answers[0].json()["missing"][0]
    assert answers[1].json()["code"] == "broker-unavailable"


def test_metrics_tell_dubs_by_state_and_requests_by_route(gateway):
    post_clip(gateway.url)
    httpx.get(f"{gateway.url}/v1/dubs/00000000-0000-0000-0000-000000000007")
    metrics = httpx.get(f"{gateway.url}/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'polylip_dubs{state="queued"} 1.0' in metrics.text
    assert 'polylip_dubs{state="failed"} 0.0' in metrics.text
    count = "polylip_http_request_duration_seconds_count"
    assert f'{count}{{method="POST",route="/v1/dubs",status="202"}} 1.0' in metrics.text
    assert f'{count}{{method="GET",route="/v1/dubs/{{dub_id}}",status="404"}} 1.0' in metrics.text
    assert "-000000000007" not in metrics.text


@pytest.mark.parametrize("path", ["/", "/docs", "/static/app.js", "/static/style.css", "/healthz", "/nothing"])
def test_every_answer_carries_the_security_headers(gateway, path):
    headers = httpx.get(f"{gateway.url}{path}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_hold_no_inline_script_or_style_and_name_no_other_host(gateway, path):
    page = httpx.get(f"{gateway.url}{path}")
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "style=" not in page.text
    assert page.text.count("<script") == page.text.count('<script src="/static/')
    assert " onclick" not in page.text


def test_the_calls_are_described_as_openapi(gateway):
    paths = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]
    assert "multipart/form-data" in paths["/v1/dubs"]["post"]["requestBody"]["content"]
    assert {"/v1/dubs/{dub_id}/events", "/v1/models", "/v1/languages", "/readyz"} <= set(paths)
