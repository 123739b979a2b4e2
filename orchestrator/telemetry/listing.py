"""Reads the files that `traces=file` writes, and sums a trace up: spans of one name under one parent are one row."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.errors import TraceNotFound


@dataclass(frozen=True, slots=True)
class RecordedSpan:
    """One line of a file."""

    trace_id: str
    span_id: str
    parent_id: str
    """"" where the trace begins."""
    name: str
    service: str
    begin_s: float
    """Unix time."""
    duration_s: float
    attempt: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Spans of one name and service whose parents are one row too."""

    depth: int
    name: str
    service: str
    count: int
    begin_s: float
    """Of the first, from the trace's begin."""
    total_s: float
    longest_s: float
    attempts: int
    """Highest attempt among them; 0 where none counts."""
    failed: int


def read_spans(folder: Path) -> list[RecordedSpan]:
    """Read every file of the folder; a line that a killed process left half is passed over.

    Raises:
        TraceNotFound: there are no files.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise TraceNotFound(f"no spans were recorded in {folder}")
    return [span for path in paths for span in _spans(path)]


def newest_dub(spans: Iterable[RecordedSpan]) -> str:
    """Return the trace id of the session that began last; raises TraceNotFound."""
    sessions = [span for span in spans if span.name == "session"]
    if not sessions:
        raise TraceNotFound("no trace holds a session")
    return max(sessions, key=lambda span: span.begin_s).trace_id


def rows_of(spans: Iterable[RecordedSpan], trace_id: str) -> list[Row]:
    """Return one trace as rows, each after its parent, in the order of time; raises TraceNotFound."""
    mine = [span for span in spans if span.trace_id == trace_id]
    if not mine:
        raise TraceNotFound(f"no trace {trace_id}")
    ids = {span.span_id for span in mine}
    children: dict[str, list[RecordedSpan]] = defaultdict(list)
    for span in mine:
        # a parent that is not here: a client's own span, or one that its process did not live to end
        children[span.parent_id if span.parent_id in ids else ""].append(span)
    return list(_rows(children, children[""], 0, min(span.begin_s for span in mine)))


def _rows(
    children: dict[str, list[RecordedSpan]], siblings: list[RecordedSpan], depth: int, zero_s: float
) -> Iterator[Row]:
    groups: dict[tuple[str, str], list[RecordedSpan]] = defaultdict(list)
    for span in sorted(siblings, key=lambda each: each.begin_s):
        groups[span.name, span.service].append(span)
    for (name, service), group in groups.items():
        yield Row(
            depth,
            name,
            service,
            len(group),
            group[0].begin_s - zero_s,
            sum(span.duration_s for span in group),
            max(span.duration_s for span in group),
            max(span.attempt for span in group),
            sum(span.failed for span in group),
        )
        below = [child for span in group for child in children.get(span.span_id, [])]
        yield from _rows(children, below, depth + 1, zero_s)


def _spans(path: Path) -> Iterator[RecordedSpan]:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            raw = json.loads(line)
        except ValueError:
            continue
        begin, end = (datetime.fromisoformat(raw[key]).timestamp() for key in ("start_time", "end_time"))
        yield RecordedSpan(
            trace_id=raw["context"]["trace_id"].removeprefix("0x"),
            span_id=raw["context"]["span_id"].removeprefix("0x"),
            parent_id=(raw["parent_id"] or "").removeprefix("0x"),
            name=raw["name"],
            service=raw["resource"]["attributes"]["service.name"],
            begin_s=begin,
            duration_s=end - begin,
            attempt=raw["attributes"].get("polylip.attempt", 0),
            failed=raw["status"]["status_code"] == "ERROR",
        )
