"""Logging of every process: structlog to stderr, for people (console) or for machines (one JSON object a line)."""

import contextvars
import logging
import sys
import threading
from collections.abc import Callable
from typing import Literal

import structlog
from structlog.typing import Processor

LogFormat = Literal["auto", "console", "json"]

_QUIET_LIBRARIES = ("pika",)
"""Their INFO lines tell every connection's handshake; our own lines say what matters of it."""


def configure_logging(level: str = "INFO", format: LogFormat = "auto") -> None:
    """Send our lines and those of libraries (standard `logging`) through one formatter to stderr.

    `level`: DEBUG, INFO, WARNING or ERROR, any case; raises ValueError for another word. `format` auto: console on a
    terminal, else json. Fields bound with `structlog.contextvars.bind_contextvars` (session, segment, stage, trace_id)
    appear on every line of that context.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"no such log level: {level}")
    if format == "auto":
        format = "console" if sys.stderr.isatty() else "json"
    shared = _shared_processors(format)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # module-level loggers must follow a later call of this function
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(format)],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def thread_with_ids(target: Callable[[], None], name: str) -> threading.Thread:
    """Make a daemon thread whose log lines have the fields that are bound where it is made."""
    return threading.Thread(target=contextvars.copy_context().run, args=(target,), name=name, daemon=True)


def _shared_processors(format: LogFormat) -> list[Processor]:
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if format == "json":
        processors.append(structlog.processors.dict_tracebacks)
    return processors


def _renderer(format: LogFormat) -> Processor:
    if format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
