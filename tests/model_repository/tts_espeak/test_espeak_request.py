import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from espeak_request import check_speaker_audio, checked_speed, plain_text
from hypothesis import given
from hypothesis import strategies as st


@given(st.text("[]\x01\0\n ab<>&-", max_size=30) | st.text(max_size=30))
def test_nothing_in_a_text_can_command_espeak(text):
    line = plain_text(text, 100)
    assert "[[" not in line
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)
    assert line == " ".join(line.split())


def test_the_words_stay():
    assert plain_text(" Hola,\n¿qué [tal]? <b> ", 100) == "Hola, ¿qué [tal]? <b>"


def test_a_text_too_long_is_refused():
    with pytest.raises(InvalidRequest, match="101 characters, at most 100"):
        plain_text("a" * 101, 100)


@pytest.mark.parametrize("speed", [[0.49], [2.1], [np.nan], [np.inf], [], [1.0, 1.0]])
def test_a_speed_out_of_range_is_refused(speed):
    with pytest.raises(InvalidRequest, match=r"SPEED must be one number in 0\.5\.\.2\.0"):
        checked_speed(np.array(speed, np.float32))


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_speed_in_range_is_taken(speed):
    assert checked_speed(np.array([speed], np.float32)) == speed


def test_speaker_audio_may_be_empty_but_not_broken():
    check_speaker_audio(np.zeros(0, np.float32))
    with pytest.raises(InvalidRequest, match="SPEAKER_AUDIO"):
        check_speaker_audio(np.array([np.nan], np.float32))
