"""Text to speech: Translation -> a stream of SpokenSentence, sent while the engine still speaks."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from client.contracts import AudioChunk, Float32Array, Task, TtsEngine
from client.errors import ContractViolation
from orchestrator.messages import SPOKEN_SAMPLE_RATE_HZ, SpokenSentence, StageTiming, Translation
from orchestrator.pcm import StreamResampler, float_to_pcm, pcm_to_float
from orchestrator.queues import topology
from orchestrator.settings import TimingSettings
from orchestrator.timing.pace import speed_to_ask
from orchestrator.voice.reference import voice_id
from orchestrator.workers.base import Answer, Engines, closing_iterator, inherit
from orchestrator.workers.clock import StageClock
from orchestrator.workers.long_text import split_text

MAX_CHUNK_SAMPLES = 10 * SPOKEN_SAMPLE_RATE_HZ
"""480 kB of PCM: an engine that speaks a whole long sentence at once must not make a message of megabytes."""


class TtsStage:
    """Speaks a translation for the session. An empty text is spoken as an empty last chunk: no engine is asked.

    The session says by which reference of a voice. A text that is too long for the engine is spoken in parts of one
    stream. Only the last chunk carries this stage's timing and the engine's remarks, for only then they are known. An
    engine that begins anew begins another synthesis: the session keeps the one that comes to its end.
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
        synthesis = _Synthesis()
        model = work.engines.get(Task.TTS, "")
        engine = self._engines.tts(model) if work.text.strip() else None
        speed = self._speed(work, engine) if engine else 1.0
        voice = voice_id(work.voice_pcm)
        remarks: dict[str, None] = {}

        def chunk(samples: Float32Array, *passed: StageTiming, final: bool = False) -> Answer:
            spoken = SpokenSentence(
                **inherit(work, *passed),
                synthesis_id=synthesis.id,
                chunk_index=next(synthesis.index),
                final=final,
                pcm=float_to_pcm(samples),
                source_text=work.source_text,
                text=work.text,
                speed=speed,
                glossary_missed=work.glossary_missed,
                voice=voice,
                remarks=tuple(remarks) if final else (),
            )
            return Answer(work.spoken_reply_to, spoken)

        if engine:
            with closing_iterator(_stream(engine, work, speed, traceparent)) as pieces:
                for restarts, samples in at_wire_rate(_noting(pieces, remarks), model or Task.TTS):
                    if restarts:
                        synthesis = _Synthesis()
                    yield from map(chunk, np.split(samples, range(MAX_CHUNK_SAMPLES, len(samples), MAX_CHUNK_SAMPLES)))
        yield chunk(np.zeros(0, np.float32), clock.timing(), final=True)

    def _speed(self, work: Translation, engine: TtsEngine) -> float:
        """Return the speed to ask for, so that the speech ends with its source sentence if it can."""
        slot_s = (work.end_ms - work.start_ms) / 1000
        return speed_to_ask(work.text, work.target_language, slot_s, engine.pace(), self._timing)


@dataclass(frozen=True)
class _Synthesis:
    """One beginning of a sentence's speech."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    index: Iterator[int] = field(default_factory=itertools.count)


def _stream(engine: TtsEngine, work: Translation, speed: float, traceparent: str) -> Iterator[AudioChunk]:
    """Yield the whole text's speech; closing it cancels the part at hand, and no further one is asked for."""
    reference = pcm_to_float(work.voice_pcm) if work.voice_pcm else None
    parts: list[Float32Array] = []
    for text in split_text(work.text, work.target_language, engine.max_text_chars()):
        spoken = engine.speak(text, work.target_language, reference, speed, traceparent=traceparent)
        before = list(parts)
        with closing_iterator(spoken) as pieces:
            for piece in pieces:
                if piece.restarts:
                    parts = list(before)
                parts.append(piece.samples)
                yield replace(piece, samples=np.concatenate(parts)) if piece.restarts else piece


def _noting(pieces: Iterator[AudioChunk], remarks: dict[str, None]) -> Iterator[AudioChunk]:
    """Pass the pieces on; enter what the engine remarks on, each remark once."""
    for piece in pieces:
        if piece.remark:
            remarks[piece.remark] = None
        yield piece


def at_wire_rate(pieces: Iterator[AudioChunk], engine: str) -> Iterator[tuple[bool, Float32Array]]:
    """Yield the stream at 24 kHz, no piece empty; joined they equal the whole stream resampled at once.

    Before each piece: whether the stream begins anew with it.

    Raises:
        ContractViolation: `engine` changed its sample rate within the stream.
    """
    resampler: StreamResampler | None = None
    sample_rate_hz, restarts = 0, False
    for piece in pieces:
        restarts = restarts or piece.restarts
        if resampler is None or piece.restarts:
            sample_rate_hz = sample_rate_hz or piece.sample_rate_hz
            resampler = StreamResampler(sample_rate_hz, SPOKEN_SAMPLE_RATE_HZ)
        if piece.sample_rate_hz != sample_rate_hz:
            raise ContractViolation(engine, f"sample rate changed from {sample_rate_hz} to {piece.sample_rate_hz} Hz")
        if len(samples := resampler.push(piece.samples)):
            yield restarts, samples
            restarts = False
    if resampler is not None and len(samples := resampler.finish()):
        yield restarts, samples
