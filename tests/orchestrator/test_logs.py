import json
import logging

import pytest
import structlog

from orchestrator.logs import configure_logging


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("pika").setLevel(logging.NOTSET)


def test_json_lines_carry_level_time_bound_fields_and_the_traceback(capsys):
    configure_logging("info", "json")
    structlog.contextvars.bind_contextvars(session_id="s1")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger("test").exception("it broke", stage="stt")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["stage"], line["session_id"]) == ("it broke", "error", "stt", "s1")
    assert line["exception"][0]["exc_value"] == "broken"
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_go_through_the_same_formatter(capsys):
    configure_logging("INFO", "json")
    logging.getLogger("some.library").warning("watch out: %s", 3)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["logger"]) == ("watch out: 3", "some.library")


def test_lines_below_the_level_are_dropped(capsys):
    configure_logging("WARNING", "console")
    log = structlog.get_logger("test")
    log.info("unheard")
    log.warning("heard")
    lines = capsys.readouterr().err
    assert "unheard" not in lines
    assert "heard" in lines


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging("LOUD")
