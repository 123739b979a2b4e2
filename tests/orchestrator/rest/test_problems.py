import httpx
import pytest
from fastapi import FastAPI

import client.errors
import orchestrator.errors
from client.contracts import LanguagePair
from client.errors import EngineNotLoaded, EngineRefused, EngineTimeout, PolylipError
from orchestrator.errors import (
    ArtefactNotReady,
    BrokerUnavailable,
    ClipTooLarge,
    DubNotFound,
    IdempotencyConflict,
    LanguagePairUnsupported,
    NoAudioTrack,
    NotAVideo,
    StoreUnavailable,
)
from orchestrator.rest import problems


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotAVideo("x"), 415),
        (NoAudioTrack("x"), 422),
        (ClipTooLarge("x"), 413),
        (LanguagePairUnsupported("en", "fr", [LanguagePair("en", "es")]), 422),
        (DubNotFound("x"), 404),
        (ArtefactNotReady("x"), 404),
        (IdempotencyConflict("x"), 409),
        (BrokerUnavailable("x"), 503),
        (StoreUnavailable("x"), 503),
        (EngineNotLoaded("m", "x"), 503),
        (EngineTimeout("m", "x"), 503),
        (EngineRefused("m", "x"), 502),
        (PolylipError("x"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_branch_of_the_tree_has_its_status(error, status):
    answer = problems.problem_of(error)
    assert answer.status_code == status
    assert answer.media_type == "application/problem+json"
    assert ("retry-after" in answer.headers) == error.retryable


def all_errors(root=PolylipError):
    yield root
    for kind in root.__subclasses__():
        yield from all_errors(kind)


@pytest.mark.parametrize("kind", [kind for kind in all_errors() if kind.__module__.startswith("orchestrator.errors")])
def test_no_error_of_ours_is_left_without_a_status(kind):
    assert 400 <= problems.status_of(kind) < 600


def test_codes_are_slugs_and_no_two_errors_share_one():
    kinds = [kind for module in (client.errors, orchestrator.errors) for kind in vars(module).values()]
    kinds = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, PolylipError)}
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes))
    assert all(code == code.lower() and code.replace("-", "").isalnum() for code in codes)


def test_an_unknown_address_is_a_problem_too(gateway):
    answer = httpx.get(f"{gateway.url}/v2/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "code", "detail"}


def test_a_wrong_method_names_the_right_ones(gateway):
    answer = httpx.put(f"{gateway.url}/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("error", [RuntimeError("secret inside"), PolylipError("secret inside")])
def test_a_fault_of_ours_tells_nothing_of_the_inside(error):
    import asyncio

    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail():
        raise error

    async def ask():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "secret" not in answer.text
