"""The gateway on the real embedded Triton and its five engines."""

import httpx
import pytest

from client.aio import AsyncTriton
from tests.fakes.gateway import post_clip, running_gateway

pytestmark = pytest.mark.triton


@pytest.fixture
def gateway(tmp_path, triton_server):
    triton = AsyncTriton(triton_server.grpc_url, control_timeout_s=5.0)
    with running_gateway(tmp_path, triton=triton) as gateway:
        yield gateway


def test_the_embedded_engines_make_the_gateway_ready_for_their_languages(gateway):
    assert httpx.get(f"{gateway.url}/readyz").json() == {"ready": True, "missing": []}
    tasks = {model["name"]: model["tasks"] for model in httpx.get(f"{gateway.url}/v1/models").json()["models"]}
    assert tasks["stt_pocketsphinx"] == ["stt"]
    assert tasks["lips_warp"] == ["lips"]
    assert httpx.get(f"{gateway.url}/v1/languages").json()["pairs"] == [{"source": "en", "target": "es"}]
    assert post_clip(gateway.url).status_code == 202
    assert post_clip(gateway.url, target_language="fr").json()["code"] == "language-pair-unsupported"


def test_an_engine_that_triton_does_not_know_is_named(gateway):
    answer = post_clip(gateway.url, engines='{"stt": "stt_nobody"}')
    assert (answer.status_code, answer.json()["code"]) == (503, "engine-not-loaded")
    assert "stt_nobody" in answer.json()["detail"]


def test_a_triton_that_is_away_is_said_so(tmp_path):
    with running_gateway(tmp_path, triton=AsyncTriton("127.0.0.1:9", control_timeout_s=1.0)) as gateway:
        [missing] = httpx.get(f"{gateway.url}/readyz").json()["missing"]
        assert missing.startswith("triton: ")
        assert post_clip(gateway.url).json()["code"] in ("engine-unavailable", "engine-timeout")
