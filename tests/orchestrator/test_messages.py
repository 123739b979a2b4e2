import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import MalformedMessage
from orchestrator.messages import (
    SCHEMA_VERSION,
    AnyRecord,
    DubJob,
    SegmentFailed,
    Sentence,
    SpeechChunk,
    SpokenSentence,
    StageTiming,
    Transcript,
    Translation,
    decode,
    decode_as,
    encode,
    segment_uuid,
)

KINDS = (SpeechChunk, Transcript, Sentence, Translation, SpokenSentence, SegmentFailed, DubJob)

int64s = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    str: st.text(),
    int: int64s,
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=64),
    uuid.UUID: st.uuids(),
    dict[str, str]: st.dictionaries(st.text(), st.text(), max_size=3),
    tuple[str, ...]: st.lists(st.text(), max_size=3).map(tuple),
}


def instances(kind: type[msgspec.Struct]) -> st.SearchStrategy:
    """Records of `kind` with a drawn value in every single field, so a field forgotten by the codec cannot hide."""
    fields = {}
    for field in msgspec.structs.fields(kind):
        if field.name == "schema":
            fields[field.name] = st.just(SCHEMA_VERSION)
        elif field.type == tuple[StageTiming, ...]:
            fields[field.name] = st.lists(instances(StageTiming), max_size=2).map(tuple)
        else:
            fields[field.name] = VALUES[field.type]
    return st.builds(kind, **fields)


@given(st.one_of(*(instances(kind) for kind in KINDS)))
def test_every_record_survives_the_wire_with_all_its_fields(record):
    assert decode(encode(record)) == record
    assert decode_as(type(record), encode(record)) == record


def example(kind: type[msgspec.Struct], **changes: object) -> AnyRecord:
    simple = {str: "", int: 1, float: 0.5, bool: True, bytes: b"", uuid.UUID: uuid.UUID(int=7), dict[str, str]: {}}
    fields = {f.name: simple[f.type] for f in msgspec.structs.fields(kind) if f.required}
    return kind(**{**fields, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_another_schema_version_is_refused(kind):
    with pytest.raises(MalformedMessage, match="schema"):
        decode(encode(example(kind, schema=SCHEMA_VERSION + 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_another_kind_is_refused_by_name(kind):
    other = next(k for k in KINDS if k is not kind)
    with pytest.raises(MalformedMessage, match=f"expected {other.__name__}, got {kind.__name__}"):
        decode_as(other, encode(example(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_or_mistyped_field_is_refused(kind):
    wire = msgspec.msgpack.decode(encode(example(kind)))
    required = next(f.name for f in msgspec.structs.fields(kind) if f.required)
    missing = {name: value for name, value in wire.items() if name != required}
    for bad in (missing, {**wire, required: ["no", "such"]}, {**wire, "type": "Stranger"}):
        with pytest.raises(MalformedMessage):
            decode(msgspec.msgpack.encode(bad))


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_is_raised(body):
    with pytest.raises(MalformedMessage):
        decode(body)


@given(st.uuids(), int64s)
def test_a_segments_id_is_the_same_each_time_and_another_for_another_start(session, start_ms):
    assert segment_uuid(session, start_ms) == segment_uuid(session, start_ms)
    assert segment_uuid(session, start_ms) != segment_uuid(session, start_ms + 1)
