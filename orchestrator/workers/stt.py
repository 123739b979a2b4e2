"""Speech to text: SpeechChunk -> Transcript."""

from collections.abc import Iterator

from client.contracts import Task
from orchestrator.messages import SpeechChunk, Transcript
from orchestrator.pcm import pcm_to_float
from orchestrator.queues import topology
from orchestrator.workers.base import Answer, Engines, inherit
from orchestrator.workers.clock import StageClock


class SttStage:
    """Transcribes a chunk for the session that sent it. Hearing nothing is an answer too: an empty text."""

    task = Task.STT
    queue = topology.AUDIO
    kind = SpeechChunk

    def __init__(self, engines: Engines) -> None:
        """Take the engine that each chunk asks for from `engines`."""
        self._engines = engines

    def answers(self, work: SpeechChunk, clock: StageClock, traceparent: str) -> Iterator[Answer]:
        """Yield the one transcript."""
        engine = self._engines.stt(work.engines.get(Task.STT, ""))
        heard = engine.transcribe(pcm_to_float(work.pcm), work.source_language, traceparent=traceparent)
        transcript = Transcript(
            **inherit(work, clock.timing()),
            text=heard.text.strip(),
            language=heard.language,
            no_speech_probability=heard.no_speech_probability,
            mean_logprob=heard.mean_logprob,
        )
        yield Answer(work.reply_to, transcript)
