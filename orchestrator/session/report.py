"""What a dub tells about itself: `segments.json` and `report.json`."""

import resource
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from client.contracts import Task
from orchestrator.glossary import terms_in
from orchestrator.session.gate_report import ChunkEntry, GateReport, chunk_entries, gate_report
from orchestrator.session.segments import Segment
from orchestrator.session.sound_report import SoundReport, SourceSyncReport, sound_report, source_sync_report
from orchestrator.session.timing_report import TimingReport, timing_report
from orchestrator.session.visual_report import VisualReport, visual_report
from orchestrator.session.voice_report import VoiceReport, voice_report
from orchestrator.timing.placement import Placement, Verdict

if TYPE_CHECKING:
    from orchestrator.session.session import DubSession

KEPT = "kept"
"""Verdict of a segment in which no speech was understood: the source's own sound stays."""
SKIPPED = "skipped"
"""Verdict of a sentence that a person wants left as it was: its own sound and picture stay."""


class SegmentEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sentence. Times in milliseconds of the source's clock."""

    sequence: int
    segment_id: str
    start_ms: int
    end_ms: int
    source_text: str
    text: str
    """The translation; "" when the source's own sound was kept."""
    verdict: str
    """`fits`, `tight`, `overflow`; `kept` (no speech understood) or `skipped` (a person said so): its own sound and
    picture stay."""
    corrected: tuple[str, ...] = ()
    """What a person has corrected of it: `text`, `translation`, `speaker`, `skip`."""
    glossary_missed: tuple[str, ...] = ()
    """Terms of the glossary that are in the source text, and that the translation could not keep."""
    voice: str = ""
    """Which reference of the speaker's voice it was spoken by; "": none."""
    remarks: tuple[str, ...] = ()
    """What the TTS engine has said of its work, each a short sentence."""
    forced_split: bool = False
    """Its last chunk was cut at the longest chunk, not at a pause."""
    chunks: tuple[ChunkEntry, ...] = ()
    """What it was made of, in order."""
    gate: str = ""
    """What ended it: `model`, `punctuation`, `pause`, `forced`, `language`, `end`, `off`, `transcript`; "" when no
    speech was understood."""
    gate_score: float | None = None
    """The boundary engine's score of the whole text, 0..1; none when it was not asked."""
    gate_fallback: str = ""
    """Why the boundary engine was not asked: punctuation and pauses decided."""
    gate_ms: int = 0
    """From its last transcript to the decision that it is a sentence."""
    dub_start_ms: int = 0
    dub_end_ms: int = 0
    face: int = 0
    """Track that was chosen for most of it; 0: no face, or nothing was dubbed here."""
    natural_ms: int = 0
    """Duration of the speech at rate 1."""
    slot_ms: int = 0
    """Duration of the source sentence: what the speech should take."""
    rate: float = 1.0
    """Of the speech as heard: `speed` times `stretch`."""
    speed: float = 1.0
    """What the engine was asked for."""
    stretch: float = 1.0
    """What was done to the finished speech, its pitch kept."""
    borrowed_ms: int = 0
    """Silence after the source sentence that the speech takes."""
    onset_error_ms: int = 0
    """How much later than its source sentence the speech starts: the one before overflowed."""
    no_speech_probability: float = 0.0
    """Of the chunk that the recogniser doubted most."""
    mean_logprob: float = 0.0
    """Of the chunk of which the recogniser was least sure."""


class StageReport(msgspec.Struct, frozen=True, kw_only=True):
    """One stage over the whole clip."""

    items: int
    """Chunks of `stt`, sentences of the other audio stages, frames of the visual ones."""
    runs: int
    """Items that the stage worked on."""
    reused: int
    """Items whose result was there already: of an owner that died, or of the dub that this is a render of."""
    queue_ms_p50: float
    queue_ms_max: float
    compute_s: float
    rtf: float
    """Real-time factor: seconds of computing per second of clip; below 1 is faster than real time."""


class BranchReport(msgspec.Struct, frozen=True, kw_only=True):
    """Wall-clock span of a branch, milliseconds after the session's start."""

    from_ms: int
    to_ms: int


class GlossaryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The glossary over the whole clip."""

    terms: int
    """That the request has."""
    used: dict[str, int]
    """Term -> sentences that were translated and say it, those that miss it included."""
    missed: dict[str, int]
    """Term -> sentences whose translation could not keep it."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    dub_id: str
    revision: int
    """1: the dub; each render of corrections makes another one."""
    outcome: str
    """`dubbed`; or `no-speech`, `all-skipped` when the clip came back unchanged."""
    source_language: str
    target_language: str
    sentences_from: str
    """`stt`, or `transcript` when one was given: then nobody listened."""
    engines: dict[str, str]
    clip: dict[str, float | int | str | bool]
    wall_s: float
    rtf: float
    """Of the whole dub, start-up excluded."""
    first_speech_s: float
    """From the start to the first chunk of translated speech; 0 when there was none."""
    stages: dict[str, StageReport]
    branches: dict[str, BranchReport]
    """`audio` (segmenting to the last spoken sentence) and `visual` (the first frame that is looked at, if only for the
    source's sync, to the last one rendered)."""
    overlap_s: float
    """Time in which both branches were at work."""
    frames: int
    frames_with_face: int
    frames_with_lips: int
    faces_followed: int
    """Faces that were chosen at some time."""
    visual: VisualReport
    gate: GateReport
    start_error_ms_max: float
    """Largest distance between the start of a sentence and of its source."""
    sentences_outside_window: int
    """Sentences that start further than `sync.window_ms` from their source."""
    verdicts: dict[str, int]
    glossary: GlossaryReport
    timing: TimingReport
    sound: SoundReport
    voice: VoiceReport
    source_sync: SourceSyncReport
    ring_frames_max: int
    ring_mb_max: float
    peak_rss_mb: float
    """Of the process that owned the session."""


def segment_entries(session: "DubSession") -> list[SegmentEntry]:
    """Return all sentences in the order of speech."""
    entries = [
        _entry(segment, session.speech.timeline.placement(segment.segment_id)) for segment in session.speech.book.all()
    ]
    chosen_in = session.visual.chronicle.chosen_in
    return [
        entry
        if entry.verdict in (KEPT, SKIPPED)
        else msgspec.structs.replace(entry, face=chosen_in(entry.dub_start_ms / 1000, entry.dub_end_ms / 1000))
        for entry in entries
    ]


def _entry(segment: Segment, placement: Placement | None) -> SegmentEntry:
    kept = SegmentEntry(
        sequence=segment.sequence,
        segment_id=str(segment.segment_id),
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        source_text=segment.source_text,
        text="",
        verdict=SKIPPED if segment.correction.skip else KEPT,
        corrected=tuple(segment.correction.stored()),
        forced_split=segment.chunks[-1].chunk.forced,
        chunks=chunk_entries(segment.chunks),
        gate=segment.gate.value if segment.gate else "",
        gate_score=_score(segment),
        gate_fallback=segment.opinion.fallback if segment.opinion else "",
        gate_ms=segment.gate_ms,
        no_speech_probability=round(max(chunk.no_speech_probability for chunk in segment.chunks), 4),
        mean_logprob=round(min(chunk.mean_logprob for chunk in segment.chunks), 4),
    )
    if placement is None:
        return kept
    return msgspec.structs.replace(
        kept,
        text=segment.text,
        glossary_missed=segment.glossary_missed,
        voice=segment.voice,
        remarks=segment.remarks,
        verdict=placement.verdict.value,
        dub_start_ms=round(placement.start_s * 1000),
        dub_end_ms=round(placement.end_s * 1000),
        natural_ms=round(placement.natural_s * 1000),
        slot_ms=kept.end_ms - kept.start_ms,
        rate=round(placement.rate, 4),
        speed=round(placement.speed, 4),
        stretch=round(placement.stretch, 4),
        borrowed_ms=round(placement.borrowed_s * 1000),
        onset_error_ms=round(placement.onset_error_s * 1000),
    )


def _score(segment: Segment) -> float | None:
    score = segment.opinion.score if segment.opinion else None
    return None if score is None else round(score, 4)


def build_report(session: "DubSession", *, spoken: bool) -> Report:
    """Return the report of a session whose `run` has returned `spoken`."""
    clip = session.clip
    entries = segment_entries(session)
    dubbed = [entry for entry in entries if entry.verdict not in (KEPT, SKIPPED)]
    start_errors_ms = [abs(entry.dub_start_ms - entry.start_ms) for entry in dubbed]
    wall_s = (session.finished_at_ms - session.started_at_ms) / 1000
    branches = _branches(session)
    audio, visual = branches["audio"], branches["visual"]
    first_speech = [s.first_speech_at_ms for s in session.speech.book.all() if s.first_speech_at_ms]
    return Report(
        dub_id=str(session.request.session_id),
        revision=session.request.revision,
        outcome=_outcome(entries, spoken=spoken),
        source_language=session.request.source_language or _heard_language(session.speech.book.all()),
        target_language=session.request.target_language,
        sentences_from="stt" if session.request.transcript is None else "transcript",
        engines={task.value: engine for task in Task if (engine := _engine(session, task))},
        clip={
            "duration_s": round(clip.duration_s, 3),
            "width": clip.width,
            "height": clip.height,
            "rotation_deg": clip.rotation_deg,
            "frames_per_s": round(float(clip.frames_per_s), 3),
            "variable_frame_rate": clip.variable_frame_rate,
            "frames": clip.frame_count,
        },
        wall_s=round(wall_s, 3),
        rtf=round(wall_s / clip.duration_s, 3),
        first_speech_s=round((min(first_speech) - session.started_at_ms) / 1000, 3) if first_speech else 0.0,
        stages=_stages(session),
        branches=branches,
        overlap_s=round(max(0, min(audio.to_ms, visual.to_ms) - max(audio.from_ms, visual.from_ms)) / 1000, 3),
        frames=session.visual.stats.frames,
        frames_with_face=session.visual.stats.frames_with_face,
        frames_with_lips=session.renderer.stats.frames_with_lips if session.renderer and spoken else 0,
        faces_followed=session.visual.stats.tracks,
        visual=visual_report(session.visual.chronicle, session.request.face),
        gate=_gate(session),
        start_error_ms_max=max(start_errors_ms, default=0),
        sentences_outside_window=sum(error > session.settings.sync.window_ms for error in start_errors_ms),
        verdicts={verdict.value: sum(e.verdict == verdict.value for e in entries) for verdict in Verdict}
        | {verdict: sum(entry.verdict == verdict for entry in entries) for verdict in (KEPT, SKIPPED)},
        glossary=_glossary(session, dubbed),
        timing=timing_report(dubbed),
        sound=sound_report(session.mixer if spoken else None, session.speech.match),
        voice=voice_report(session.speech.voice, session.heard_clip.audio_offset_s),
        source_sync=source_sync_report(session.sync),
        ring_frames_max=session.visual.stats.ring_frames_max,
        ring_mb_max=round(session.visual.stats.ring_bytes_max / 1e6, 1),
        peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _outcome(entries: Sequence[SegmentEntry], *, spoken: bool) -> str:
    if spoken:
        return "dubbed"
    return "all-skipped" if any(entry.verdict == SKIPPED for entry in entries) else "no-speech"


def _glossary(session: "DubSession", dubbed: Sequence[SegmentEntry]) -> GlossaryReport:
    glossary = session.request.glossary
    translated = [entry for entry in dubbed if "translation" not in entry.corrected]
    used = Counter(term for entry in translated for term in terms_in(entry.source_text, glossary))
    missed = Counter(term for entry in translated for term in entry.glossary_missed)
    return GlossaryReport(terms=len(glossary), used=dict(used), missed=dict(missed))


def _heard_language(segments: Sequence[Segment]) -> str:
    heard = [segment.language for segment in segments if segment.language and not segment.kept]
    return statistics.mode(heard) if heard else ""


def _engine(session: "DubSession", task: Task) -> str:
    configured: str = getattr(session.settings.engines, task.value)
    return session.request.engines.get(task.value) or configured


def _gate(session: "DubSession") -> GateReport:
    settings = session.settings.gate
    engine = _engine(session, Task.BOUNDARY) if settings.enabled else ""
    return gate_report(engine, settings.threshold, session.speech.judge, session.speech.book.all())


def _branches(session: "DubSession") -> dict[str, BranchReport]:
    def since_start(at_ms: int) -> int:
        return max(0, at_ms - session.started_at_ms)

    audio_end_ms = max(session.speech.audio.finished_at_ms, session.speech.done_at_ms)
    return {
        "audio": BranchReport(from_ms=since_start(session.speech.audio.started_at_ms), to_ms=since_start(audio_end_ms)),
        "visual": BranchReport(from_ms=since_start(session.watched_from_ms), to_ms=since_start(session.finished_at_ms)),
    }


def _stages(session: "DubSession") -> dict[str, StageReport]:
    duration_s = session.clip.duration_s
    stages = {}
    heard = [timing for chunk in session.speech.book.chunks() for timing in chunk.timings]
    said = [timing for segment in session.speech.book.all() for timing in segment.timings.values()]
    for stage in (Task.STT, Task.MT, Task.TTS):
        timings = [timing for timing in (heard if stage is Task.STT else said) if timing.stage == stage]
        queued = [timing.queued_ms for timing in timings]
        compute_s, reused = sum(timing.compute_ms for timing in timings) / 1000, session.speech.recall.reused[stage]
        stages[stage.value] = _stage(len(timings), queued, compute_s, duration_s, reused)
    visual = session.visual.stats
    stages["decode"] = _stage(visual.frames, [], visual.decode_s, duration_s)
    stages["faces"] = _stage(visual.detected_frames, [], session.faces.engine_s, duration_s)
    if session.renderer is not None:
        done = session.renderer.stats
        stages["lips"] = _stage(done.frames_with_lips, [], done.render_s, duration_s)
        stages["encode"] = _stage(done.frames, [], done.encode_s, duration_s)
    return stages


def _stage(runs: int, queued_ms: Sequence[float], compute_s: float, duration_s: float, reused: int = 0) -> StageReport:
    return StageReport(
        items=runs + reused,
        runs=runs,
        reused=reused,
        queue_ms_p50=round(statistics.median(queued_ms), 2) if queued_ms else 0.0,
        queue_ms_max=round(max(queued_ms), 2) if queued_ms else 0.0,
        compute_s=round(compute_s, 3),
        rtf=round(compute_s / duration_s, 4),
    )
