"""The pipeline against the installed Apertium, and against small programs that misbehave on purpose."""

import os
import signal
import sys
from pathlib import Path

import pytest
from apertium_pipeline import Pipeline, PipelineDied, PipelineSlow
from apertium_stream import OutOfStep
from apertium_translator import Translator
from engine_kit.refusals import InvalidRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODES = Path("/usr/share/apertium/modes")
PROBE, PROBE_ES = "She has two dogs.", "Tiene dos perros."


@pytest.fixture(scope="module")
def translator():
    translator = Translator(["en-es", "es-en"], MODES, max_text_chars=500, answer_within_s=20.0)
    yield translator
    translator.stop()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=60)
    | st.text("[]{}^$/\\@<>*#+|~&;:.,\0\n\t aIb'\"\u200b\u00ad\ufeff\u2028\u0301¿ñ😀", max_size=40)
    | st.lists(
        st.sampled_from(["[[t:b:1]]", "[/]", "^the<det>$", "\\", "<STREAMCMD:SETVAR:x>", "I", "dogs", "]", "[1]"])
    ).map(" ".join)
)
def test_no_text_spoils_the_answer_to_the_next(translator, text):
    answer = translator.translate(text, "en", "es")
    assert bool(answer) == bool(translator.translate(text, "en", "es"))
    assert translator.translate(PROBE, "en", "es") == PROBE_ES


@pytest.mark.parametrize(
    ("source", "target", "text", "expected"),
    [
        ("en", "es", "Good morning everyone", "Buenos días todo el mundo"),
        ("en", "es", "I have twenty-five dollars and two children.", "Tengo veinticinco dólares y dos niños."),
        ("en", "es", "It costs 25 dollars.", "Cuesta 25 dólares."),
        ("es", "en", "Ella trabajó muchos años.", "She worked a lot of years."),
        ("en", "es", "", ""),
        ("en", "es", " \n\0 ", ""),
    ],
)
def test_sentences_are_translated_both_ways(translator, source, target, text, expected):
    assert translator.translate(text, source, target) == expected


def test_unknown_words_come_back_as_they_are_without_a_mark(translator):
    assert translator.translate("Zqxwv flurbs", "en", "es") == "Zqxwv flurbs"


def test_an_unsupported_pair_is_refused_with_the_pairs_there_are(translator):
    with pytest.raises(InvalidRequest, match="'en-fr' is not served; there are: en-es es-en"):
        translator.translate("Hello", "en", "fr")


def test_a_text_too_long_is_refused(translator):
    with pytest.raises(InvalidRequest, match="501 characters, at most 500"):
        translator.translate("a" * 501, "en", "es")


def test_a_pair_that_is_not_installed_is_named_at_start():
    with pytest.raises(FileNotFoundError, match=r"eng-spa\.mode"):
        Translator(["en-es"], Path("/nowhere"), 500, 1.0)


def test_a_program_that_was_killed_is_replaced():
    translator = Translator(["en-es"], MODES, 500, answer_within_s=20.0)
    try:
        assert translator.translate(PROBE, "en", "es") == PROBE_ES
        victim = translator._pipelines["en-es"]._processes[4]
        os.kill(victim.pid, signal.SIGKILL)
        assert translator.translate(PROBE, "en", "es") == PROBE_ES
    finally:
        translator.stop()


def program(body: str) -> list[str]:
    """A stand-in for one of Apertium's programs; `read()` gives the next request with its NUL, b"" at the end."""
    prelude = (
        "import sys\n"
        "def read():\n"
        "    data = bytearray()\n"
        "    while not data.endswith(b'\\0'):\n"
        "        byte = sys.stdin.buffer.read(1)\n"
        "        if not byte: return b''\n"
        "        data += byte\n"
        "    return data\n"
        "def write(data):\n"
        "    sys.stdout.buffer.write(data); sys.stdout.buffer.flush()\n"
    )
    return [sys.executable, "-c", prelude + body]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("read()", PipelineDied),
        ("while data := read(): write(b'[0]stale.[][0]\\0')", OutOfStep),
        ("while data := read(): write(b'\\0' + data)", OutOfStep),
    ],
)
def test_programs_that_fail_twice_are_reported_and_leave_nothing_running(body, error):
    pipeline = Pipeline([program(body)], answer_within_s=20.0)
    with pytest.raises(error):
        pipeline.translate("x")
    assert pipeline._processes == []


def test_a_program_that_hangs_is_ended_when_the_time_is_over():
    pipeline = Pipeline([program("while read(): pass")], answer_within_s=0.3)
    with pytest.raises(PipelineSlow, match=r"within 0\.3 s"):
        pipeline.translate("x")
    assert pipeline._processes == []


def test_a_text_larger_than_a_pipe_holds_passes():
    pipeline = Pipeline([program("while data := read(): write(data)")] * 2, answer_within_s=20.0)
    text = "palabra " * 30_000
    try:
        assert pipeline.translate(text) == text
    finally:
        pipeline.stop()
