"""What the commands print, and how errors end them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from client.errors import PolylipError

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@contextmanager
def plain_errors() -> Iterator[None]:
    """End the command with status 1 and the reason in one line; a retry that may help is said."""
    try:
        yield
    except PolylipError as error:
        hint = " (trying again may help)" if error.retryable else ""
        errors.print(f"[bold red]error[/] {error.code}: ", end="")
        errors.print(f"{error}{hint}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)


def print_segments(segments: Sequence[Mapping[str, Any]]) -> None:
    """Print the sentences of a dub: what was heard and is said instead, their durations, and how it fits."""
    table = Table("start", "heard", "said", "own/slot s", "rate", "fit")
    for segment in segments:
        table.add_row(
            f"{segment['start_ms'] / 1000:.2f} s",
            segment["source_text"],
            segment["text"],
            _durations(segment) if segment["text"] else "",
            f"{segment.get('rate', 1.0):.2f}" if segment["text"] else "",
            _fit(segment),
        )
    console.print(table)


def print_report(report: Mapping[str, Any]) -> None:
    """Print the figures of a dub: per stage queue time, compute time and real-time factor; overlap and totals."""
    table = Table("stage", "items", "queue ms (p50 / max)", "compute s", "RTF")
    for stage, figures in report["stages"].items():
        table.add_row(
            stage,
            str(figures["items"]),
            f"{figures['queue_ms_p50']:.0f} / {figures['queue_ms_max']:.0f}" if figures["queue_ms_max"] else "",
            f"{figures['compute_s']:.2f}",
            f"{figures['rtf']:.3f}",
        )
    console.print(table)
    if report["outcome"] == "dubbed":
        _print_gate(report["gate"])
        _print_timing(report["timing"], report["verdicts"])
        _print_voice(report["voice"])
    audio, visual = report["branches"]["audio"], report["branches"]["visual"]
    console.print(
        f"{report['clip']['duration_s']:.1f} s of clip in {report['wall_s']:.1f} s (RTF {report['rtf']:.2f}); "
        f"audio branch {_span(audio)}, visual branch {_span(visual)}, both at work for {report['overlap_s']:.1f} s; "
        f"peak memory of the session's process {report['peak_rss_mb']:.0f} MB"
    )
    if report["outcome"] == "no-speech":
        console.print("The clip holds no speech: it came back unchanged.")


def _durations(segment: Mapping[str, Any]) -> str:
    return f"{segment.get('natural_ms', 0) / 1000:.2f}/{segment.get('slot_ms', 0) / 1000:.2f}"


def _fit(segment: Mapping[str, Any]) -> str:
    """Return the verdict and what it took: silence used, delay; and what the engine remarks on."""
    taken = [f"+{segment['borrowed_ms']} ms"] if segment.get("borrowed_ms") else []
    late = [f"{segment['onset_error_ms']} ms late"] if segment.get("onset_error_ms") else []
    return ", ".join([segment["verdict"], *taken, *late, *segment.get("remarks", ())])


def _print_gate(gate: Mapping[str, Any]) -> None:
    ended = ", ".join(f"{count} by {what}" for what, count in gate["ended_by"].items() if count)
    scored = f"; {gate['engine']} took {gate['score_ms_p50']:.0f} ms a text" if gate["scored"] else ""
    unasked = ", ".join(f"{reason} {count} times" for reason, count in gate["fallbacks"].items())
    instead = f"; punctuation and pauses decided ({unasked})" if unasked else ""
    console.print(f"Sentences: {gate['sentences']} of {gate['chunks']} chunks, ended {ended}{scored}{instead}")


def _print_timing(timing: Mapping[str, Any], verdicts: Mapping[str, int]) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count)
    console.print(
        f"Timing: {counts}; speech overlap {timing['speech_overlap']:.2f}, rate p95 {timing['rate_p95']:.2f}, "
        f"{timing['slot_silent_share']:.0%} of the slots silent, at most {timing['onset_error_ms_max']} ms late"
    )


def _print_voice(voice: Mapping[str, Any]) -> None:
    if voice["outcome"] == "cloned":
        stretches = ", ".join(f"{start / 1000:.1f}..{end / 1000:.1f} s" for start, end in voice["stretches_ms"])
        console.print(f"Voice: cloned from {voice['speech_s']:.1f} s of the speaker, {stretches}")
    elif voice["outcome"] == "too-little-speech":
        console.print("Voice: the engine's own; the clip has too little speech to clone one from")


def _span(branch: Mapping[str, int]) -> str:
    return f"{branch['from_ms'] / 1000:.1f}..{branch['to_ms'] / 1000:.1f} s"
