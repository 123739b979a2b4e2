import pytest
from apertium_text import clean_source, tidy_translation
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_cleaned_text_is_one_line_without_control_characters(text):
    cleaned = clean_source(text)
    assert cleaned == " ".join(cleaned.split())
    assert not any(ord(char) < 32 or ord(char) == 127 for char in cleaned)
    assert clean_source(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  one\ttwo\r\nthree\0four ", "one two three four"),
        ("don’t say “no”", 'don\'t say "no"'),
        ("cafe\u0301", "café"),
        ("", ""),
    ],
)
def test_typography_and_line_breaks_are_made_plain(text, expected):
    assert clean_source(text) == expected


@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        ("Today I want to talk", " Hoy  quiero charla ", "Hoy quiero charla"),
        ("I am John.", " Soy John .", "Soy John."),
        ("Good morning everyone", "Buenos días Todo el mundo", "Buenos días todo el mundo"),
        ("The water was cold. It is clear.", "EL agua era fría.  Es clara.", "El agua era fría. Es clara."),
        ("I live in Madrid", "Vivo en Madrid", "Vivo en Madrid"),
        ("I met NASA engineers", "Conocí Ingenieros de NASA", "Conocí Ingenieros de NASA"),
        ("I'm here and I'll stay", "Estoy Aquí y me quedaré", "Estoy aquí y me quedaré"),
        ("we went", "fuimos", "fuimos"),
        ("Nothing left", "", "Nothing left"),
    ],
)
def test_gaps_close_and_capitals_follow_the_source(source, translation, expected):
    assert tidy_translation(source, translation) == expected
