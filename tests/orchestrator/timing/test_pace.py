import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.contracts import SpeechPace
from orchestrator.settings import TimingSettings
from orchestrator.timing.pace import LETTERS_PER_S, PAUSE_S, estimated_s, speed_to_ask

PACE = SpeechPace((0.5, 2.0), {"es": 10.0})
SETTINGS = TimingSettings()


@pytest.mark.parametrize(
    ("text", "letters", "pauses"),
    [
        ("", 0, 0),
        ("...", 0, 0),
        ("Hola, mundo.", 9, 1),
        ("Sí… ¿y tú?", 5, 1),
        ("en 1969", 2 + 4 * 6, 0),
        ("你好，世界。", 4 * 3, 1),
    ],
)
def test_letters_digits_and_pauses_take_time(text, letters, pauses):
    assert estimated_s(text, "es", PACE) == pytest.approx(letters / 10 + PAUSE_S * pauses)


def test_a_language_that_the_engine_does_not_measure_has_the_usual_pace():
    assert estimated_s("a" * 31, "fi", PACE) == pytest.approx(31 / LETTERS_PER_S)


@pytest.mark.parametrize(("letters", "speed"), [(5, 1.0), (10, 1.0), (11, 1.1), (12, 1.2), (30, 1.2)])
def test_speech_is_asked_to_end_with_its_source_but_never_audibly_fast_nor_slow(letters, speed):
    assert speed_to_ask("a" * letters, "es", 1.0, PACE, SETTINGS) == pytest.approx(speed)


def test_an_engine_is_never_asked_for_more_than_it_states():
    assert speed_to_ask("a" * 30, "es", 1.0, SpeechPace((0.9, 1.05), {"es": 10.0}), SETTINGS) == pytest.approx(1.05)
    assert speed_to_ask("a" * 30, "es", 1.0, SpeechPace(None, {"es": 10.0}), SETTINGS) == 1.0


@given(st.text(), st.text(), st.floats(0.0, 20.0))
def test_more_text_is_never_asked_to_be_slower(text, more, slot_s):
    shorter, longer = (speed_to_ask(words, "es", slot_s, PACE, SETTINGS) for words in (text, f"{text} {more}"))
    assert 1.0 <= shorter <= longer <= SETTINGS.preferred_max_rate
