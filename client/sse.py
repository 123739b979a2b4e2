"""Reads server-sent events (WHATWG HTML, section 9.2) from the lines of a stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event as it came."""

    id: str
    """The last id seen; "" when there was none yet."""
    event: str
    data: str


def parse_events(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    """Yield the events of a stream of lines without their ends; comments (pings) and half events are left out."""
    last_id, event, data = "", "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerSentEvent(last_id, event, "\n".join(data))
            event, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id" and "\0" not in value:
            last_id = value
        elif field == "event":
            event = value
        elif field == "data":
            data.append(value)
