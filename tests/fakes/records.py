"""Records of one short segment, for tests of whatever reads them."""

import uuid

from orchestrator.messages import Sentence, SpeechChunk, Translation, segment_uuid
from orchestrator.queues import topology

SESSION = uuid.UUID("00000000-0000-0000-0000-00000000d0b5")
TRANSCRIPTS = topology.transcripts("test")
SPOKEN = topology.audio_output("test")

SEGMENT = {
    "session_id": SESSION,
    "segment_id": segment_uuid(SESSION, 1000),
    "sequence": 3,
    "start_ms": 1000,
    "end_ms": 2500,
    "created_at_ms": 1,
}


def speech_chunk(**changes: object) -> SpeechChunk:
    fields = {"pcm": bytes(32_000), "source_language": "en", "reply_to": TRANSCRIPTS}
    return SpeechChunk(**{**SEGMENT, **fields, **changes})


def sentence(**changes: object) -> Sentence:
    fields = {
        "text": "good morning",
        "source_language": "en",
        "target_language": "es",
        "reply_to": TRANSCRIPTS,
        "spoken_reply_to": SPOKEN,
    }
    return Sentence(**{**SEGMENT, **fields, **changes})


def translation(**changes: object) -> Translation:
    fields = {
        "source_text": "good morning",
        "text": "buenos días",
        "target_language": "es",
        "reply_to": TRANSCRIPTS,
        "spoken_reply_to": SPOKEN,
    }
    return Translation(**{**SEGMENT, **fields, **changes})
