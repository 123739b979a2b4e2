"""The part of `report.json` that tells how sentences were made of chunks, and what decided."""

from collections.abc import Sequence

import msgspec
import numpy as np

from orchestrator.segmentation.sentences import Gate
from orchestrator.session.judge import TextJudge
from orchestrator.session.segments import HeardChunk, Segment


class ChunkEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One chunk of a sentence. Times in milliseconds of the source's clock."""

    start_ms: int
    end_ms: int
    text: str
    """As the recogniser heard it."""
    forced_split: bool = False
    """Cut at the longest chunk, not at a pause."""


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The sentence gate over the whole clip."""

    engine: str
    """The boundary engine; "" when none is configured or the gate is off."""
    threshold: float
    chunks: int
    """With speech or without."""
    sentences: int
    """Without what was kept because no speech was understood."""
    joined: int
    """Sentences of more than one chunk."""
    ended_by: dict[str, int]
    """Sentences by what ended them: `model`, `punctuation`, `pause`, `forced`, `language`, `end`, `off`,
    `transcript`."""
    forced_share: float
    """Part of the sentences that were cut by force because they grew too long."""
    scored: int
    """Texts that the boundary engine judged: after every chunk, the sentence so far."""
    score_ms_p50: float
    """One call of the boundary engine, there and back."""
    score_ms_p95: float
    gate_ms_p50: float
    """From a sentence's last transcript to the decision, the wait for the next chunk included."""
    gate_ms_p95: float
    fallbacks: dict[str, int]
    """Texts that the engine did not judge, by the reason; punctuation and pauses decided them."""


def gate_report(engine: str, threshold: float, judge: TextJudge, segments: Sequence[Segment]) -> GateReport:
    """Return the report of a session that has ended."""
    sentences = [segment for segment in segments if segment.gate is not None]
    gate_ms = [float(segment.gate_ms) for segment in sentences]
    forced = sum(segment.gate is Gate.FORCED for segment in sentences)
    return GateReport(
        engine=engine,
        threshold=threshold,
        chunks=sum(len(segment.chunks) for segment in segments),
        sentences=len(sentences),
        joined=sum(len(segment.chunks) > 1 for segment in sentences),
        ended_by={gate.value: sum(segment.gate is gate for segment in sentences) for gate in Gate},
        forced_share=round(forced / len(sentences), 4) if sentences else 0.0,
        scored=len(judge.score_ms),
        score_ms_p50=_percentile(judge.score_ms, 50),
        score_ms_p95=_percentile(judge.score_ms, 95),
        gate_ms_p50=_percentile(gate_ms, 50),
        gate_ms_p95=_percentile(gate_ms, 95),
        fallbacks=dict(judge.fallbacks),
    )


def chunk_entries(chunks: Sequence[HeardChunk]) -> tuple[ChunkEntry, ...]:
    """Return what a sentence was made of."""
    return tuple(
        ChunkEntry(start_ms=chunk.start_ms, end_ms=chunk.end_ms, text=chunk.text, forced_split=chunk.chunk.forced)
        for chunk in chunks
    )


def _percentile(values: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 2) if values else 0.0
