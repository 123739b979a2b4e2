"""The REST client: what `polylip` and other programs use to have clips dubbed by a gateway."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import httpx

from client.errors import RestError, RestUnavailable
from client.sse import parse_events

FINAL_STATES = ("succeeded", "failed", "cancelled")
RECONNECTS = 8
"""Times in a row that an event stream may break without a new event."""
RECONNECT_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Before each of them; the last one repeats. About 20 s in all: a gateway restarts in that time."""
PING_TIMEOUT_S = 45.0
"""The gateway sends a ping every 15 s: a stream that is silent for so long is dead."""
ANSWER_TIMEOUT_S = 120.0
"""After an upload the gateway probes the clip and waits for the broker."""
_UNAVAILABLE = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DubEvent:
    """One thing that happened to a dub."""

    id: str
    """For `last_event_id`."""
    kind: str
    """`state` (data: state, error, at_ms), `progress` (data: stage, progress 0..1, message, at_ms), or `render` (data:
    id, state, revision, error, at_ms)."""
    data: JsonObject

    @property
    def final(self) -> bool:
        """True when no other event follows."""
        return self.kind == "state" and self.data["state"] in FINAL_STATES


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the gateway would accept and finish a dub."""

    ready: bool
    missing: tuple[str, ...]
    """What is not there, with the reason."""


class PolylipClient:
    """Talks to one gateway; not for several threads at once.

    Every call raises RestError with the gateway's problem; RestUnavailable (retryable) when it is away or busy.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 30.0, sleep: Callable[[float], None] = time.sleep) -> None:
        """`timeout_s` of a single wait on the connection; uploads and events have their own. `sleep`: for tests."""
        self._http = httpx.Client(base_url=base_url, timeout=timeout_s)
        self._timeout_s = timeout_s
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def create(
        self,
        clip_path: Path,
        target_language: str,
        source_language: str | None = None,
        engines: Mapping[str, str] | None = None,
        webhook: str | None = None,
        idempotency_key: str | None = None,
        face: str | None = None,
        background: str | None = None,
        glossary: Mapping[str, str] | None = None,
        transcript: Path | None = None,
    ) -> JsonObject:
        """Upload a clip and return the accepted dub: `id`, `state`, `links`. The file is streamed, never held whole.

        `face`: whose lips move, a track of an earlier report ("2") or a box "x1,y1,x2,y2[@seconds]"; left out: the one
        who speaks. `transcript`: a SubRip file of what is spoken, so that nothing is recognised.
        `background`: "duck", "off", or how much quieter the source's sound is while somebody speaks, in decibels.

        With an `idempotency_key` of your own the call may be repeated after a RestUnavailable without dubbing twice.
        """
        fields = {
            "target_language": target_language,
            "source_language": source_language,
            "engines": json.dumps(dict(engines)) if engines else None,
            "webhook": webhook,
            "face": face,
            "background": background,
            "glossary": json.dumps(dict(glossary), ensure_ascii=False) if glossary else None,
        }
        data = {name: value for name, value in fields.items() if value}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        timeout = httpx.Timeout(self._timeout_s, read=ANSWER_TIMEOUT_S)
        files: dict[str, Any] = {}
        if transcript is not None:
            files["transcript"] = (transcript.name, transcript.read_bytes(), "application/x-subrip")
        with clip_path.open("rb") as clip:
            files["clip"] = (clip_path.name, clip, "application/octet-stream")
            return self._json("POST", "/v1/dubs", data=data, files=files, headers=headers, timeout=timeout)

    def get(self, dub_id: str | uuid.UUID) -> JsonObject:
        """Return a dub as it stands."""
        return self._json("GET", f"/v1/dubs/{dub_id}")

    def events(self, dub_id: str | uuid.UUID, last_event_id: str | None = None) -> Iterator[DubEvent]:
        """Yield what happens to a dub, from the beginning or behind `last_event_id`, to its final state.

        A broken connection is taken up again behind the last event.
        """
        yield from self._follow(dub_id, last_event_id, lambda event: event.final)

    def corrections(self, dub_id: str | uuid.UUID) -> JsonObject:
        """Return what is corrected of a dub, the revision that is shown, and how the newest render goes."""
        return self._json("GET", f"/v1/dubs/{dub_id}/corrections")

    def correct(
        self,
        dub_id: str | uuid.UUID,
        number: int,
        changes: Mapping[str, str | int | bool | None],
        version: int | None = None,
    ) -> JsonObject:
        """Correct the sentence `number` (its `sequence`) of a finished dub; `render` carries it out.

        `changes`: `text`, `translation`, `speaker`, `skip`; None takes one back. With `version`, that of the correction
        as you saw it (0: none yet), somebody else's change in between is a RestError `correction-outdated`.
        """
        headers = {"If-Match": f'"{version}"'} if version is not None else {}
        return self._json("PATCH", f"/v1/dubs/{dub_id}/segments/{number}", json=dict(changes), headers=headers)

    def render(self, dub_id: str | uuid.UUID, on_event: Callable[[DubEvent], None] | None = None) -> JsonObject:
        """Render what is corrected, follow it to its end, and return the render: `state`, `revision`, `error`."""
        render = self._json("POST", f"/v1/dubs/{dub_id}/render")
        if render["state"] in FINAL_STATES:
            return render
        after = httpx.URL(render["events"]).params.get("after")

        def last(event: DubEvent) -> bool:
            state, of = event.data.get("state"), event.data.get("id")
            return event.kind == "render" and of == render["id"] and state in FINAL_STATES

        for event in self._follow(dub_id, after, last):
            if on_event is not None:
                on_event(event)
            if last(event):
                return render | {name: event.data[name] for name in ("state", "error")}
        return cast(JsonObject, self.corrections(dub_id)["render"])

    def cancel_render(self, dub_id: str | uuid.UUID) -> None:
        """Cancel the render that is queued or running, if there is one; the dub stays as it was."""
        with _translated():
            _check(self._http.delete(f"/v1/dubs/{dub_id}/render"))

    def _follow(
        self, dub_id: str | uuid.UUID, last_event_id: str | None, last: Callable[[DubEvent], bool]
    ) -> Iterator[DubEvent]:
        after, failures = last_event_id, 0
        while True:
            try:
                for event in self._events_once(dub_id, after):
                    after, failures = event.id, 0
                    yield event
                    if last(event):
                        return
                if after is not None and after == last_event_id:
                    return  # the final state lies behind us
                raise RestUnavailable(0, "stream-ended", "the event stream ended too early")
            except RestUnavailable:
                failures += 1
                if failures > RECONNECTS:
                    raise
                self._sleep(RECONNECT_DELAYS_S[min(failures, len(RECONNECT_DELAYS_S)) - 1])

    def wait(self, dub_id: str | uuid.UUID, on_event: Callable[[DubEvent], None] | None = None) -> JsonObject:
        """Follow a dub to its end and return it; a deleted one is just `id`, `state` "cancelled" and `error`."""
        for event in self.events(dub_id):
            if on_event is not None:
                on_event(event)
            if event.final and event.data["state"] == "cancelled":
                return {"id": str(dub_id), "state": "cancelled", "error": None}
        return self.get(dub_id)

    def download(self, dub_id: str | uuid.UUID, artefact: str, to_path: Path, language: str | None = None) -> Path:
        """Save an artefact ("result.mp4", "subtitles.srt", "report.json", …) and return `to_path`, whole or not at all.

        `language` of subtitles; left out: the target language.
        """
        part = to_path.with_name(f".{to_path.name}.part")
        parameters = {"language": language} if language else {}
        try:
            with _translated(), self._http.stream("GET", f"/v1/dubs/{dub_id}/{artefact}", params=parameters) as answer:
                _check(answer)
                with part.open("wb") as sink:
                    for chunk in answer.iter_bytes():
                        sink.write(chunk)
            return part.replace(to_path)
        finally:
            part.unlink(missing_ok=True)

    def delete(self, dub_id: str | uuid.UUID) -> None:
        """Cancel the dub if it still runs, and erase all that it left."""
        with _translated():
            _check(self._http.delete(f"/v1/dubs/{dub_id}"))

    def models(self) -> list[JsonObject]:
        """Return what Triton serves."""
        return cast(list[JsonObject], self._json("GET", "/v1/models")["models"])

    def languages(self) -> JsonObject:
        """Return the pairs that can be dubbed, and what is assumed of a source language that is left out."""
        return self._json("GET", "/v1/languages")

    def ready(self) -> Readiness:
        """Return whether everything is there; raises RestUnavailable when the gateway itself is not."""
        with _translated():
            answer = self._http.get("/readyz")
            if answer.status_code not in (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE):
                _check(answer)
            state = answer.json()
        return Readiness(state["ready"], tuple(state["missing"]))

    def _events_once(self, dub_id: str | uuid.UUID, last_event_id: str | None) -> Iterator[DubEvent]:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        timeout = httpx.Timeout(self._timeout_s, read=PING_TIMEOUT_S)
        with (
            _translated(),
            self._http.stream("GET", f"/v1/dubs/{dub_id}/events", headers=headers, timeout=timeout) as answer,
        ):
            _check(answer)
            for event in parse_events(answer.iter_lines()):
                yield DubEvent(event.id, event.event, json.loads(event.data))

    def _json(self, method: str, path: str, **arguments: Any) -> JsonObject:  # noqa: ANN401 (httpx's own)
        with _translated():
            answer = self._http.request(method, path, **arguments)
            _check(answer)
            return cast(JsonObject, answer.json())


def _check(answer: httpx.Response) -> None:
    """Raise the problem that the gateway answered with, if it did."""
    if answer.is_success:
        return
    answer.read()
    try:
        problem = answer.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):  # a proxy's answer, not the gateway's
        code, detail = f"http-{answer.status_code}", answer.reason_phrase
    kind = RestUnavailable if answer.status_code in _UNAVAILABLE else RestError
    wait = answer.headers.get("retry-after", "")
    raise kind(answer.status_code, code, detail, float(wait) if wait.isdigit() else None)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise RestUnavailable(0, "no-answer", f"{type(error).__name__}: {error}".rstrip(": ")) from error
    except ValueError as error:
        raise RestError(0, "bad-answer", f"not the JSON of a gateway: {error}") from error
