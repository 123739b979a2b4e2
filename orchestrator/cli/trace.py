"""`polylip trace`: where the time of one dub went, through all processes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from orchestrator.cli.output import console, plain_errors
from orchestrator.settings import Settings
from orchestrator.telemetry.listing import newest_dub, read_spans, rows_of


def trace(
    trace_id: Annotated[
        str, typer.Argument(help="32 hex digits, as log lines name it; left out: the last dub's.")
    ] = "",
    folder: Annotated[Path | None, typer.Option(help="Of the spans' files; left out: the settings' trace_dir.")] = None,
) -> None:
    """List the spans of one trace that POLYLIP_TELEMETRY__TRACES=file has recorded."""
    with plain_errors():
        spans = read_spans(folder or Settings().telemetry.trace_dir)
        trace_id = trace_id or newest_dub(spans)
        table = Table("span", "process", title=f"Trace {trace_id}", box=None)
        for column in ("number", "from s", "total s", "longest s", "attempt", "failed"):
            table.add_column(column, justify="right")
        for row in rows_of(spans, trace_id):
            table.add_row(
                "  " * row.depth + row.name,
                row.service.removeprefix("polylip-"),
                str(row.count),
                f"{row.begin_s:.3f}",
                f"{row.total_s:.3f}",
                f"{row.longest_s:.3f}",
                str(row.attempts or ""),
                str(row.failed or ""),
            )
        console.print(table)
