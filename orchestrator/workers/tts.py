"""Text to speech: Translation -> a stream of SpokenSentence, sent while the engine still speaks."""

import itertools
import uuid
from collections.abc import Iterator

import numpy as np

from client.contracts import AudioChunk, Float32Array, Task, TtsEngine
from client.errors import ContractViolation
from orchestrator.messages import SPOKEN_SAMPLE_RATE_HZ, SpokenSentence, StageTiming, Translation
from orchestrator.pcm import StreamResampler, float_to_pcm
from orchestrator.queues import topology
from orchestrator.settings import TimingSettings
from orchestrator.timing.pace import speed_to_ask
from orchestrator.workers.base import Answer, Engines, closing_iterator, inherit
from orchestrator.workers.clock import StageClock

MAX_CHUNK_SAMPLES = 10 * SPOKEN_SAMPLE_RATE_HZ
"""480 kB of PCM: an engine that speaks a whole long sentence at once must not make a message of megabytes."""


class TtsStage:
    """Speaks a translation for the session. An empty text is spoken as an empty last chunk: no engine is asked.

    Only the last chunk carries this stage's timing, for only then it is known.
    """

    task = Task.TTS
    queue = topology.TRANSLATION
    kind = Translation

    def __init__(self, engines: Engines, timing: TimingSettings | None = None) -> None:
        """Take the engine that each translation asks for from `engines`; `timing` bounds the speed it is asked for."""
        self._engines = engines
        self._timing = timing or TimingSettings()

    def answers(self, work: Translation, clock: StageClock, traceparent: str) -> Iterator[Answer]:
        """Yield chunks of one synthesis, numbered from 0; the last is marked and may be empty."""
        synthesis_id = uuid.uuid4()
        index = itertools.count()
        model = work.engines.get(Task.TTS, "")
        engine = self._engines.tts(model) if work.text.strip() else None
        speed = self._speed(work, engine) if engine else 1.0

        def chunk(samples: Float32Array, *passed: StageTiming, final: bool = False) -> Answer:
            spoken = SpokenSentence(
                **inherit(work, *passed),
                synthesis_id=synthesis_id,
                chunk_index=next(index),
                final=final,
                pcm=float_to_pcm(samples),
                source_text=work.source_text,
                text=work.text,
                speed=speed,
                glossary_missed=work.glossary_missed,
            )
            return Answer(work.spoken_reply_to, spoken)

        if engine:
            stream = engine.speak(work.text, work.target_language, speed=speed, traceparent=traceparent)
            with closing_iterator(stream) as pieces:
                for samples in at_wire_rate(pieces, model or Task.TTS):
                    yield from map(chunk, np.split(samples, range(MAX_CHUNK_SAMPLES, len(samples), MAX_CHUNK_SAMPLES)))
        yield chunk(np.zeros(0, np.float32), clock.timing(), final=True)

    def _speed(self, work: Translation, engine: TtsEngine) -> float:
        """Return the speed to ask for, so that the speech ends with its source sentence if it can."""
        slot_s = (work.end_ms - work.start_ms) / 1000
        return speed_to_ask(work.text, work.target_language, slot_s, engine.pace(), self._timing)


def at_wire_rate(pieces: Iterator[AudioChunk], engine: str) -> Iterator[Float32Array]:
    """Yield the stream at 24 kHz, no piece empty; joined they equal the whole stream resampled at once.

    Raises:
        ContractViolation: `engine` changed its sample rate within the stream.
    """
    resampler: StreamResampler | None = None
    sample_rate_hz = 0
    for piece in pieces:
        if resampler is None:
            sample_rate_hz = piece.sample_rate_hz
            resampler = StreamResampler(sample_rate_hz, SPOKEN_SAMPLE_RATE_HZ)
        if piece.sample_rate_hz != sample_rate_hz:
            raise ContractViolation(engine, f"sample rate changed from {sample_rate_hz} to {piece.sample_rate_hz} Hz")
        if len(samples := resampler.push(piece.samples)):
            yield samples
    if resampler is not None and len(samples := resampler.finish()):
        yield samples
