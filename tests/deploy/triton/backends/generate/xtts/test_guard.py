import pytest
from generate.xtts.guard import Guard, bounds_of, spoken_letters
from hypothesis import given
from hypothesis import strategies as st

CODES_PER_S = 22_050 / 1024


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("", 0),
        ("Hola, mundo!", 9),
        ("25 km", 14),
        ("你好", 6),
        ("こんにちは", 15),
        ("한국어", 9),
        ("Привет", 6),
        ("...", 0),
    ],
)
def test_letters_count_as_speech_takes_time_for_them(text: str, letters: int) -> None:
    assert spoken_letters(text) == letters


def test_ordinary_speech_is_plausible_slow_or_fast() -> None:
    text = "Today is a very important day for all of us."
    for letters_per_s in (7, 15, 25):
        length_s = spoken_letters(text) / letters_per_s
        assert not bounds_of(text, Guard(), CODES_PER_S).fault(round(length_s * CODES_PER_S), ended=True)


def test_what_does_not_end_and_what_is_too_short_is_a_fault() -> None:
    bounds = bounds_of("Today is a very important day for all of us.", Guard(), CODES_PER_S)
    assert bounds.fault(bounds.most_codes, ended=False) == "no end after 8.3 s for 34 letters"
    assert bounds.fault(9, ended=True) == "only 0.42 s for 34 letters"


@given(st.text(max_size=300))
def test_every_text_may_take_some_time(text: str) -> None:
    bounds = bounds_of(text, Guard(), CODES_PER_S)
    assert 0 <= bounds.shortest_s < bounds.longest_s
    assert bounds.most_codes >= CODES_PER_S
    assert not bounds.fault(bounds.most_codes, ended=True)
