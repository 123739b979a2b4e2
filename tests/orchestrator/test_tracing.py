import pytest

from orchestrator.tracing import child_traceparent, new_traceparent, parse_traceparent

EXAMPLE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"  # the specification's own, not sampled


def test_a_traceparent_survives_being_taken_apart_and_put_together():
    assert str(parse_traceparent(EXAMPLE)) == EXAMPLE


def test_a_new_trace_is_sampled_and_never_repeats():
    traces = {new_traceparent() for _ in range(50)}
    assert len(traces) == 50
    for text in traces:
        context = parse_traceparent(text)
        assert context is not None
        assert context.flags == "01"


def test_a_child_keeps_trace_and_flags_and_has_its_own_span():
    parent, child = parse_traceparent(EXAMPLE), parse_traceparent(child_traceparent(EXAMPLE))
    assert parent is not None
    assert child is not None
    assert (child.trace_id, child.flags) == (parent.trace_id, parent.flags)
    assert child.span_id != parent.span_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        EXAMPLE.upper(),
        EXAMPLE + "-extra",
        EXAMPLE + "\n",
        "ff" + EXAMPLE[2:],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)
def test_what_is_no_traceparent_is_refused_and_its_child_begins_a_trace(text):
    assert parse_traceparent(text) is None
    assert parse_traceparent(child_traceparent(text)) is not None
