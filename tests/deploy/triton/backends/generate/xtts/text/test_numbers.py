import pytest
from generate.xtts.text.languages import LANGUAGES
from generate.xtts.text.numbers import expand_numbers
from hypothesis import given
from hypothesis import strategies as st

SPOKEN = [language for language in LANGUAGES if language not in ("ja", "zh")]


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("$20 and 20.15€", "en", "twenty dollars and twenty euro, fifteen cents"),
        ("1,234.5", "en", "one thousand, two hundred and thirty-four point five"),
        ("1.234,5", "de", "eintausendzweihundertvierunddreißig Komma fünf"),
        ("2ème et 1er", "fr", "deuxième et premier"),
        ("$25", "pt", "vinte e cinco dólares"),
        ("100.50 и 3-го", "ru", "сто целых пять десятых и третий"),
        ("5 och 12.30", "tr", "beş och oniki.otuz"),
        ("1. místo, roku 2023.", "cs", "první místo, roku dva tisíce dvacet tři."),
        ("100번째", "ko", "백번째"),
        ("1,00,000", "hi", "एक लाख"),
        ("12.5", "hi", "बारह दशमलव पाँच"),
        ("£20", "ar", "عشرون£"),
    ],
)
def test_numbers_become_the_languages_words(text, language, said):
    assert expand_numbers(text, language) == said


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize(
    "text",
    ["9" * 400, "9" * 400 + ".5", "0." + "3" * 50, "$" + "9" * 400, "€1.2.3.4", "$.5", "0º 0th 0. 0번 0-й", "1" * 1000],
)
def test_numbers_beyond_every_limit_are_said_all_the_same(text, language):
    said = expand_numbers(text, language)
    assert said.strip() and not any(char in "0123456789" for char in said)


@given(st.text(st.sampled_from("0123456789.,:/-$£€₹%°ºª aeoth번")), st.sampled_from(SPOKEN))
def test_no_figure_is_left_and_nothing_fails(text, language):
    assert not any(char in "0123456789" for char in expand_numbers(text, language))
