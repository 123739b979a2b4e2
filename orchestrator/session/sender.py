"""Sends the gate's sentences on: to translation, or, as a person has corrected them, past it or nowhere."""

from collections.abc import Callable
from typing import Any, Protocol

from orchestrator.corrections import Correction
from orchestrator.errors import SentencesChanged
from orchestrator.glossary import terms_in
from orchestrator.messages import AnyRecord, Sentence, Translation
from orchestrator.queues import topology
from orchestrator.session.replies import ReplyRouter
from orchestrator.session.request import DubRequest
from orchestrator.session.segments import Segment


class Publisher(Protocol):
    """Where a session's records go."""

    def publish(self, queue: str, record: AnyRecord) -> None:
        """Hand one record on; raises as Outbox.publish."""
        ...


class SentenceSender:
    """Publishes one record for each sentence that is to be dubbed."""

    def __init__(
        self, request: DubRequest, replies: ReplyRouter, publisher: Publisher, voice: Callable[[], bytes]
    ) -> None:
        """`replies` names the queues that answers come to; `voice` gives the reference to speak by, and may wait."""
        self._voice = voice
        self._request = request
        self._replies = replies
        self._publisher = publisher
        self._uncorrected = set(request.corrections)
        self._language = request.source_language
        """That was spoken last."""

    def send(self, segment: Segment) -> bool:
        """Send a sentence on; False when it keeps its own sound: no speech was understood, or it is to be skipped."""
        segment_id = str(segment.segment_id)
        self._uncorrected.discard(segment_id)
        correction = segment.correction = self._request.corrections.get(segment_id, Correction())
        if correction.skip:
            return False
        if correction.text:
            segment.source_text = correction.text
            segment.language = segment.language or self._language
        self._language = segment.language or self._language
        if correction.translation:
            self._publisher.publish(topology.TRANSLATION, self._translation(segment, correction.translation))
        elif correction.text or segment.gate is not None:
            self._publisher.publish(topology.TEXT, self._sentence(segment))
        else:
            return False
        return True

    def check_corrections(self) -> None:
        """Raise SentencesChanged when something was corrected that has not been a sentence."""
        if self._uncorrected:
            raise SentencesChanged(
                f"{len(self._uncorrected)} of the corrected sentences are none any more; take them back, or dub the "
                "clip anew"
            )

    def _sentence(self, segment: Segment) -> Sentence:
        return Sentence(
            **self._common(segment),
            text=segment.source_text,
            source_language=segment.language,
            glossary=terms_in(segment.source_text, self._request.glossary),
        )

    def _translation(self, segment: Segment, text: str) -> Translation:
        return Translation(**self._common(segment), source_text=segment.source_text, text=text)

    def _common(self, segment: Segment) -> dict[str, Any]:
        """Return what both records say of a sentence."""
        return {
            "session_id": self._request.session_id,
            "segment_id": segment.segment_id,
            "sequence": segment.sequence,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
            "timings": tuple(timing for chunk in segment.chunks for timing in chunk.timings),
            "engines": self._request.engines,
            "target_language": self._request.target_language,
            "reply_to": self._replies.transcripts,
            "spoken_reply_to": self._replies.audio_output,
            "voice_pcm": self._voice(),
        }
