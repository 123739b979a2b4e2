"""Keeps a reference library's remarks off the screen: they are about settings that the gate makes on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR as ONLY_ERRORS

from transformers.utils import logging


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and nothing below an error, as long as it lasts."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(ONLY_ERRORS)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
