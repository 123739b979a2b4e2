"""Logging of every process: structlog to stderr, for people (console) or for machines (one JSON object a line)."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

LogFormat = Literal["console", "json"]

_QUIET_LIBRARIES = ("pika",)
"""Their INFO lines tell every connection's handshake; our own lines say what matters of it."""


def configure_logging(level: str = "INFO", format: LogFormat = "console") -> None:
    """Send our lines and those of libraries (standard `logging`) through one formatter to stderr.

    `level`: DEBUG, INFO, WARNING or ERROR, any case; raises ValueError for another word. Fields bound with
    `structlog.contextvars.bind_contextvars` (session_id, segment_id, stage) appear on every line of that context.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"no such log level: {level}")
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
