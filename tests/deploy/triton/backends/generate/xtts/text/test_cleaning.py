import pytest
from generate.xtts.text.cleaning import clean
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("  Hello \t there ", "Hello there"),
        ("one\r\n\r\n two\u2028three", "one\ntwo\nthree"),
        ("auto\u00admatic\u200b\ufeff", "automatic"),
        ("\u200fشكرا\u200e", "شكرا"),
        ("Great 👍🏽👨‍👩‍👧 ❤️ job 5️⃣", "Great job 5"),
        ("Cafe\u0301", "Café"),
        ("१२ ٣٤ ５６", "12 34 56"),
        ("ＡＢｃ！", "ABc！"),
        ("25 ℃, 3 ㎏, 21°", "25 °C, 3 kg, 21°"),
        ("Acme® ©\x00\x07 end\x7f", "Acme end"),
        ("lone \ud800 half", "lone half"),
        ("…—«»", "…—«»"),
    ],
)
def test_what_nobody_speaks_goes_and_what_only_looks_different_becomes_the_same(written, cleaned):
    assert clean(written) == cleaned


@given(st.text())
def test_cleaning_again_changes_nothing(text):
    assert clean(clean(text)) == clean(text)
