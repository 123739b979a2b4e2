"""Redirects and refusals."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from export.pull.errors import (
    AccessDenied,
    PullError,
    RateLimited,
    SourceBroken,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
)
from export.pull.transport import Transport

HUB = "https://hub.test"


def asked(answer: Callable[[httpx.Request], httpx.Response], url: str = f"{HUB}/a") -> list[httpx.Request]:
    seen: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    transport = Transport(HUB, "hf_secret", httpx.MockTransport(keep))
    with transport.get(url) as answer_seen:
        answer_seen.response.read()
    return seen


def redirecting(location: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        there = request.url.path == "/a" and request.url.host == "hub.test"
        return httpx.Response(302, headers={"Location": location}) if there else httpx.Response(200)

    return answer


@pytest.mark.parametrize(
    ("location", "has_token"),
    [
        ("/b", True), (f"{HUB}/b", True), ("https://hub.test.evil.org/b", False), ("https://hub.test:444/b", False),
        ("//cdn.test/b", False),
    ],
)  # fmt: skip
def test_the_token_goes_to_the_hubs_own_host_and_port_alone(location, has_token):
    first, second = asked(redirecting(location))
    assert first.headers["Authorization"] == "Bearer hf_secret"
    assert ("Authorization" in second.headers) == has_token


def test_a_redirect_from_the_cdn_back_to_the_hub_is_followed_to_its_end():
    def answer(request: httpx.Request) -> httpx.Response:
        following = {"/a": "https://cdn.test/b", "/b": f"{HUB}/c"}.get(request.url.path)
        return httpx.Response(302, headers={"Location": following}) if following else httpx.Response(200)

    assert ["Authorization" in request.headers for request in asked(answer)] == [True, False, True]


@pytest.mark.parametrize(
    "location", ["http://hub.test/b", "http://cdn.test/b", "file:///etc/passwd", "ftp://cdn.test/b"]
)
def test_a_redirect_to_something_less_safe_is_refused(location):
    with pytest.raises(SourceRefused, match="not followed"):
        asked(redirecting(location))


def test_redirects_without_end_are_given_up():
    with pytest.raises(SourceBroken, match="without end"):
        asked(lambda request: httpx.Response(302, headers={"Location": "/a"}))


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (401, {}, AccessDenied, "HF_TOKEN"),
        (401, {"X-Error-Code": "RepoNotFound"}, AccessDenied, "no such repository, or it is private"),
        (403, {"X-Error-Code": "GatedRepo"}, AccessDenied, "accept the terms on the repository's page"),
        (403, {"X-Error-Message": "Country blocked."}, AccessDenied, "Country blocked."),
        (404, {"X-Error-Code": "EntryNotFound"}, SourceMissing, "no such file"),
        (404, {"X-Error-Code": "RevisionNotFound"}, SourceMissing, "no such revision"),
        (410, {}, SourceMissing, "is not there"),
        (418, {}, SourceBroken, "answers 418"),
        (500, {}, SourceUnreachable, "fails"),
    ],
)
def test_a_refusal_is_told_with_what_the_hub_says(status, headers, kind, said):
    with pytest.raises(kind, match=said):
        asked(lambda request: httpx.Response(status, headers=headers))


@pytest.mark.parametrize(
    ("text", "least_s", "greatest_s"),
    [("30", 30, 30), (None, 7000, 7200), ("soon", None, None)],
)
def test_a_time_to_come_back_is_read_as_seconds_or_as_a_date(text, least_s, greatest_s):
    text = text or format_datetime(datetime.now(UTC) + timedelta(hours=2))
    with pytest.raises(RateLimited) as caught:
        asked(lambda request: httpx.Response(429, headers={"Retry-After": text}))
    found_s = caught.value.retry_after_s
    assert found_s is None if least_s is None else least_s <= found_s <= greatest_s


def test_an_answer_that_does_not_come_in_time_can_be_tried_again():
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(SourceUnreachable, match=r"hub\.test did not answer in time") as caught:
        asked(answer)
    assert caught.value.retryable


def test_no_error_shows_the_signature_of_an_address():
    with pytest.raises(PullError) as caught:
        asked(lambda request: httpx.Response(404), f"{HUB}/a?signature=secret")
    assert "secret" not in str(caught.value)
