"""Which options make Triton send its own spans where ours go."""

from orchestrator.settings import TelemetrySettings


def trace_arguments(settings: TelemetrySettings) -> tuple[str, ...]:
    """Return options of tritonserver; none unless spans go to a collector, for Triton's own files know no parents.

    Triton continues the trace of each call by its `traceparent` and begins none of its own accord that ours lacks:
    rate 1 is of the calls, and those that a client did not sample it leaves out itself.
    """
    if settings.traces != "otlp":
        return ()
    options = ("mode=opentelemetry", f"opentelemetry,url={settings.otlp_url}", "level=TIMESTAMPS", "rate=1")
    return tuple(f"--trace-config={option}" for option in options)
