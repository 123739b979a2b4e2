"""The records that travel through the queues: frozen, validated, versioned, encoded as MessagePack by msgspec.

A record's tag on the wire is its class name; `schema` is checked on decoding, so a worker of another release refuses
a message instead of misreading it. PCM is int16 little-endian mono.
"""

import uuid
from typing import TypeVar

import msgspec

from orchestrator.clock import now_ms
from orchestrator.errors import MalformedMessage

SCHEMA_VERSION = 2

SPEECH_SAMPLE_RATE_HZ = 16_000
"""Of `SpeechChunk.pcm`."""

SPOKEN_SAMPLE_RATE_HZ = 24_000
"""Of `SpokenSentence.pcm`."""


class StageTiming(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage did with one segment, for the report."""

    stage: str
    """stt, mt, tts."""
    queued_ms: float
    """From publishing to the start of the work."""
    compute_ms: float
    started_at_ms: int
    """Unix time."""
    finished_at_ms: int
    """Unix time."""
    attempt: int = 1


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What every message of a session carries."""

    session_id: uuid.UUID
    segment_id: uuid.UUID
    """`segment_uuid(session_id, start_ms)`: a redelivery repeats it, so consumers can recognise their own work. A
    sentence has the id of its first chunk."""
    sequence: int
    """0, 1, 2, … in the order of speech: of chunks up to the transcript, of sentences from there on."""
    start_ms: int
    """Of the segment, in the source's time."""
    end_ms: int
    created_at_ms: int = msgspec.field(default_factory=now_ms)
    """Unix time at which the record was made."""
    schema: int = SCHEMA_VERSION
    timings: tuple[StageTiming, ...] = ()
    """Stages passed so far."""
    engines: dict[str, str] = {}
    """Task -> Triton model where the request asks for another engine than the worker's settings; msgspec copies it."""


class SpeechChunk(Record, frozen=True, kw_only=True):
    """session -> STT worker, on `audio_queue`."""

    pcm: bytes
    """16 kHz."""
    source_language: str
    """ISO 639-1; several, separated by blanks: detect which of them; "": detect any."""
    reply_to: str
    """Queue of the owner that waits for the transcript."""


class Transcript(Record, frozen=True, kw_only=True):
    """STT worker -> session, on the owner's reply queue."""

    text: str
    language: str
    no_speech_probability: float
    mean_logprob: float


class Sentence(Record, frozen=True, kw_only=True):
    """session -> MT worker, on `text_queue`."""

    text: str
    source_language: str
    target_language: str
    reply_to: str
    """Queue of the owner that waits for failures."""
    spoken_reply_to: str
    """Queue of the owner that waits for the speech."""
    glossary: dict[str, str] = {}
    """Terms of `text` whose translation is fixed; msgspec copies it."""
    voice_pcm: bytes = b""
    """The reference that the TTS stage speaks by, 22.05 kHz; empty: a voice of the engine's own."""


class Translation(Record, frozen=True, kw_only=True):
    """MT worker -> TTS worker, on `translation_queue`."""

    source_text: str
    text: str
    target_language: str
    reply_to: str
    spoken_reply_to: str
    glossary_missed: tuple[str, ...] = ()
    """Terms of the glossary that could not be kept."""
    voice_pcm: bytes = b""
    """As in Sentence."""


class SpokenSentence(Record, frozen=True, kw_only=True):
    """TTS worker -> session, on the owner's `audio_output_queue`: one chunk of the stream of one sentence."""

    synthesis_id: uuid.UUID
    """One try of the TTS engine. A redelivered sentence is spoken anew, perhaps differently: chunks of two tries must
    not be mixed; the session keeps the first try that completes."""
    chunk_index: int
    final: bool
    """The last chunk; its `pcm` may be empty."""
    pcm: bytes
    """24 kHz."""
    source_text: str
    text: str
    speed: float = 1.0
    """The SPEED that the engine was asked for; 1 = natural."""
    glossary_missed: tuple[str, ...] = ()
    """Terms of the glossary that the translation could not keep."""
    voice: str = ""
    """Which reference it was spoken by (orchestrator/voice/reference.py); "": none."""
    remarks: tuple[str, ...] = ()
    """What the engine has said of its work on the sentence; of the last chunk only, for only then it is known."""


class SegmentFailed(Record, frozen=True, kw_only=True):
    """Any stage worker -> session: the segment was given up (dead-lettered); the session must not wait for it."""

    stage: str
    code: str
    """Slug of the error (client/errors.py)."""
    reason: str


class DubJob(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """REST gateway -> session owner, on `jobs`: a claim check, the media stay in the store."""

    dub_id: uuid.UUID
    """Also the session's id."""
    source_language: str
    """ISO 639-1; "" = detect."""
    target_language: str
    engines: dict[str, str] = {}
    """Task -> Triton model, where the request asks for another engine than the settings."""
    face: str = ""
    """Whose lips move, as face_choice.py reads it; "": the one who speaks."""
    background: str = ""
    """What becomes of the source's sound, as background_choice.py reads it; "": what the settings say."""
    glossary: dict[str, str] = {}
    """Term -> its translation (glossary.py)."""
    render: int = 0
    """Id of the render of a finished dub that is asked for; 0: the dub itself."""
    created_at_ms: int = msgspec.field(default_factory=now_ms)
    schema: int = SCHEMA_VERSION


AnyRecord = SpeechChunk | Transcript | Sentence | Translation | SpokenSentence | SegmentFailed | DubJob

R = TypeVar("R", SpeechChunk, Transcript, Sentence, Translation, SpokenSentence, SegmentFailed, DubJob)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyRecord)


def encode(record: AnyRecord) -> bytes:
    """Encode one record."""
    return _encoder.encode(record)


def decode(body: bytes) -> AnyRecord:
    """Decode one record of any kind.

    Raises:
        MalformedMessage: not MessagePack, an unknown tag, a missing or mistyped field, another schema version.
    """
    try:
        record: AnyRecord = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedMessage(str(error)) from error
    if record.schema != SCHEMA_VERSION:
        raise MalformedMessage(f"schema {record.schema}, this release reads {SCHEMA_VERSION}")
    return record


def decode_as(kind: type[R], body: bytes) -> R:
    """Decode a record that must be of `kind`; raises MalformedMessage otherwise."""
    record = decode(body)
    if not isinstance(record, kind):
        raise MalformedMessage(f"expected {kind.__name__}, got {type(record).__name__}")
    return record


def segment_uuid(session_id: uuid.UUID, start_ms: int) -> uuid.UUID:
    """Name a segment by its session and start (UUIDv5, RFC 9562), so that doing the work twice gives the same id."""
    return uuid.uuid5(session_id, str(start_ms))
