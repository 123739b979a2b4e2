"""The files of a finished dub, written into one folder."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from orchestrator.media.soft_subtitles import SubtitleTrack, add_subtitles
from orchestrator.session.report import Report, SegmentEntry, build_report, segment_entries
from orchestrator.session.session import DubSession
from orchestrator.store.artefacts import Artefact
from orchestrator.subtitles.cues import Cue, Line, cues_of
from orchestrator.subtitles.formats import to_srt, to_vtt


def write_artefacts(session: DubSession, folder: Path, *, spoken: bool) -> Report:
    """Write subtitles, segments.json and report.json beside the result; return the report.

    The subtitles of both languages go into the result as well, unless it is the clip itself or the settings say no.

    Raises:
        ResultNotWritten: the result cannot be written again with its subtitles.
    """
    entries = segment_entries(session)
    report = build_report(session, spoken=spoken)
    clip_end_ms = round(session.clip.duration_s * 1000)
    languages = {report.target_language: target_cues(entries, report.target_language, clip_end_ms)}
    if report.source_language:
        languages[report.source_language] = source_cues(entries, report.source_language, clip_end_ms)
    if spoken and session.settings.media.subtitle_tracks:
        tracks = [SubtitleTrack(language, cues) for language, cues in languages.items()]
        add_subtitles(folder / Artefact.RESULT, tracks)
    for language, cues in languages.items():
        (folder / Artefact.SUBTITLES_SRT.in_language(language)).write_text(to_srt(cues), encoding="utf-8")
        (folder / Artefact.SUBTITLES_VTT.in_language(language)).write_text(to_vtt(cues), encoding="utf-8")
    (folder / Artefact.SEGMENTS).write_bytes(_pretty({"segments": entries}))
    (folder / Artefact.REPORT).write_bytes(_pretty(report))
    return report


def target_cues(entries: Iterable[SegmentEntry], language: str, clip_end_ms: int) -> list[Cue]:
    """Cues in the target language, where the dub speaks."""
    return cues_of((Line(e.dub_start_ms, e.dub_end_ms, e.text) for e in entries), language, clip_end_ms)


def source_cues(entries: Iterable[SegmentEntry], language: str, clip_end_ms: int) -> list[Cue]:
    """Cues in the source language, where the source speaks."""
    return cues_of((Line(e.start_ms, e.end_ms, e.source_text) for e in entries), language, clip_end_ms)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
