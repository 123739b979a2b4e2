from hypothesis import given
from hypothesis import strategies as st

from client.sse import ServerSentEvent, parse_events

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1)


def test_fields_make_an_event_at_the_empty_line():
    lines = ["id: 7", "event: progress", "data: one", "data:two", "", "data: three", ""]
    assert list(parse_events(lines)) == [
        ServerSentEvent("7", "progress", "one\ntwo"),
        ServerSentEvent("7", "message", "three"),
    ]


def test_pings_unknown_fields_and_empty_events_are_left_out():
    lines = [": ping", "", "retry: 100", "event: x", "", "data: y", "nonsense", ""]
    assert list(parse_events(lines)) == [ServerSentEvent("", "message", "y")]


def test_an_event_that_was_cut_off_is_not_told():
    assert list(parse_events(["data: whole", "", "data: half"])) == [ServerSentEvent("", "message", "whole")]


@given(st.lists(st.tuples(WORDS, WORDS, st.lists(WORDS, min_size=1))))
def test_what_is_written_is_read(events):
    lines = []
    for identifier, kind, data in events:
        lines += [f"id: {identifier}", f"event: {kind}", *(f"data: {line}" for line in data), ""]
    assert list(parse_events(lines)) == [ServerSentEvent(i, kind, "\n".join(data)) for i, kind, data in events]
